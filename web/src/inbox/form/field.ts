/** A JSON Schema, read as a form: what each place asks for. What a form cannot show is asked for as JSON text. */

export type Schema = Readonly<Record<string, unknown>>;

interface Common {
  readonly label: string;
  readonly help: string | null;
  readonly required: boolean;
  readonly nullable: boolean; // left empty it may be null
  readonly preset: unknown; // undefined = none
}

export interface TextField extends Common {
  readonly kind: "text";
  readonly minLength: number;
  readonly maxLength: number | null;
  readonly pattern: string | null;
  readonly format: string | null;
  readonly long: boolean; // several lines
}

export interface NumberField extends Common {
  readonly kind: "number";
  readonly integer: boolean;
  readonly min: number | null;
  readonly max: number | null;
  readonly above: number | null; // exclusive
  readonly below: number | null;
  readonly step: number | null;
}

export interface ChoiceField extends Common {
  readonly kind: "choice";
  readonly options: readonly { readonly value: unknown; readonly label: string }[];
}

export interface GroupField extends Common {
  readonly kind: "group";
  readonly fields: readonly (readonly [name: string, field: Field])[];
}

export interface ListField extends Common {
  readonly kind: "list";
  readonly item: Field;
  readonly min: number;
  readonly max: number | null;
}

export interface FlagField extends Common {
  readonly kind: "flag";
}

export interface JsonField extends Common {
  readonly kind: "json";
}

export type Field = TextField | NumberField | ChoiceField | GroupField | ListField | FlagField | JsonField;

/** Schemas may contain themselves; a form ends somewhere. */
const MAX_DEPTH = 8;
const LONG_TEXT = 200;

/** The form of a whole schema. Its own label is "" unless it has a title and is not an object. */
export function formOf(schema: Schema): Field {
  const field = fieldOf(schema, schema, "", true, 0);
  return field.kind === "group" ? field : { ...field, label: words(schema["title"]) ?? "" };
}

function fieldOf(given: unknown, root: Schema, name: string, required: boolean, depth: number): Field {
  const { schema, nullable } = resolve(given, root);
  const common: Common = {
    label: words(schema["title"]) ?? labelOf(name),
    help: words(schema["description"]),
    required,
    nullable,
    preset: schema["default"],
  };
  if (depth > MAX_DEPTH) return { ...common, kind: "json" };
  const options = optionsOf(schema);
  if (options !== null) return { ...common, kind: "choice", options };
  switch (typeOf(schema)) {
    case "string":
      return textField(schema, common);
    case "integer":
    case "number":
      return numberField(schema, common);
    case "boolean":
      return { ...common, kind: "flag" };
    case "object":
      return groupField(schema, root, common, depth);
    case "array":
      return listField(schema, root, common, depth);
    default:
      return { ...common, kind: "json" };
  }
}

function textField(schema: Schema, common: Common): TextField {
  const maxLength = amount(schema["maxLength"]);
  const format = words(schema["format"]);
  const preset = typeof common.preset === "string" ? common.preset : "";
  return {
    ...common,
    kind: "text",
    minLength: amount(schema["minLength"]) ?? 0,
    maxLength,
    pattern: words(schema["pattern"]),
    format,
    long: format === "multiline" || (maxLength ?? 0) > LONG_TEXT || preset.includes("\n") || preset.length > 80,
  };
}

function numberField(schema: Schema, common: Common): NumberField {
  return {
    ...common,
    kind: "number",
    integer: typeOf(schema) === "integer",
    min: amount(schema["minimum"]),
    max: amount(schema["maximum"]),
    above: amount(schema["exclusiveMinimum"]),
    below: amount(schema["exclusiveMaximum"]),
    step: amount(schema["multipleOf"]),
  };
}

function groupField(schema: Schema, root: Schema, common: Common, depth: number): Field {
  const properties = schema["properties"];
  if (!isSchema(properties)) return { ...common, kind: "json" };
  const needed = Array.isArray(schema["required"]) ? (schema["required"] as readonly unknown[]) : [];
  const fields = Object.entries(properties).map(
    ([name, one]) => [name, fieldOf(one, root, name, needed.includes(name), depth + 1)] as const,
  );
  return { ...common, kind: "group", fields };
}

function listField(schema: Schema, root: Schema, common: Common, depth: number): Field {
  if (!isSchema(schema["items"])) return { ...common, kind: "json" };
  return {
    ...common,
    kind: "list",
    item: fieldOf(schema["items"], root, "", true, depth + 1),
    min: amount(schema["minItems"]) ?? 0,
    max: amount(schema["maxItems"]),
  };
}

/** Follows references and takes `null` out of alternatives, as pydantic writes them. */
function resolve(given: unknown, root: Schema): { schema: Schema; nullable: boolean } {
  let schema: Schema = isSchema(given) ? given : {};
  let nullable = false;
  for (let turn = 0; turn <= MAX_DEPTH; turn++) {
    const { $ref, anyOf, oneOf, allOf, ...rest } = schema;
    const target = typeof $ref === "string" ? refer($ref, root) : null;
    const ways = [anyOf, oneOf, allOf].find((one) => Array.isArray(one)) as readonly unknown[] | undefined;
    const real = ways?.filter((way) => !isNull(way));
    if (ways !== undefined && real !== undefined && real.length < ways.length) nullable = true;
    if (target !== null) schema = { ...target, ...rest };
    else if (real?.length === 1 && isSchema(real[0])) schema = { ...real[0], ...rest };
    else break;
  }
  const { type } = schema;
  if (Array.isArray(type) && type.includes("null")) nullable = true;
  return { schema, nullable };
}

function refer(ref: string, root: Schema): Schema | null {
  if (!ref.startsWith("#/")) return null;
  let at: unknown = root;
  for (const part of ref.slice(2).split("/")) {
    if (!isSchema(at)) return null;
    at = at[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return isSchema(at) ? at : null;
}

function optionsOf(schema: Schema): ChoiceField["options"] | null {
  if ("const" in schema) return [option(schema["const"])];
  if (Array.isArray(schema["enum"])) return schema["enum"].filter((value) => value !== null).map(option);
  const ways = schema["oneOf"] ?? schema["anyOf"];
  if (!Array.isArray(ways) || !ways.every((way) => isSchema(way) && "const" in way)) return null;
  return (ways as readonly Schema[]).map((way) => ({ ...option(way["const"]), ...titled(way) }));
}

const option = (value: unknown): { value: unknown; label: string } => ({
  value,
  label: typeof value === "string" ? value : JSON.stringify(value),
});

function titled(way: Schema): { label?: string } {
  const title = words(way["title"]);
  return title === null ? {} : { label: title };
}

/** The one type that is not null; "" where there is none or several. */
function typeOf(schema: Schema): string {
  const { type } = schema;
  const types = (Array.isArray(type) ? type : [type]).filter((one) => one !== "null");
  if (types.length === 1 && typeof types[0] === "string") return types[0];
  return isSchema(schema["properties"]) ? "object" : "";
}

/** `max_cost` -> `Max cost`. */
function labelOf(name: string): string {
  const text = name.replaceAll("_", " ").replace(/([a-z])([A-Z])/g, "$1 $2");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isNull = (way: unknown): boolean => isSchema(way) && way["type"] === "null";
const words = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const amount = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
