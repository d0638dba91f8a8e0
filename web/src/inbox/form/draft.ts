/** What a person has put into a form so far, and what it is worth: a value, or what is wrong and where. */

import type { ChoiceField, Field, ListField, NumberField, TextField } from "./field";

/** Text, number and JSON: what was typed. Choice: the index as text, "" = none. */
export type Draft = string | boolean | readonly Draft[] | { readonly [name: string]: Draft };

/** JSON Pointer in the answer -> what is wrong there. */
export type Problems = ReadonlyMap<string, string>;

export interface Filled {
  readonly value: unknown; // undefined = left out
  readonly problems: Problems;
}

/** The form as it is before anybody types: the given value, the schema's defaults, or empty. */
export function draftOf(field: Field, value: unknown = field.preset): Draft {
  switch (field.kind) {
    case "text":
      return typeof value === "string" ? value : "";
    case "number":
      return typeof value === "number" ? String(value) : "";
    case "flag":
      return value === true;
    case "choice":
      return indexIn(field, value);
    case "json":
      return value === undefined ? "" : JSON.stringify(value, null, 2);
    case "list":
      return Array.isArray(value)
        ? value.map((one: unknown) => draftOf(field.item, one))
        : Array.from({ length: field.min }, () => draftOf(field.item));
    case "group": {
      const given = isRecord(value) ? value : {};
      return Object.fromEntries(
        field.fields.map(([name, one]) => [name, name in given ? draftOf(one, given[name]) : draftOf(one)]),
      );
    }
  }
}

export function filled(field: Field, draft: Draft): Filled {
  const problems = new Map<string, string>();
  return { value: valueOf(field, draft, "", problems), problems };
}

function valueOf(field: Field, draft: Draft, at: string, problems: Map<string, string>): unknown {
  if (mayBeBlank(field) && isBlank(field, draft)) return blank(field, at, problems);
  const wrong: Wrong = (message) => void problems.set(at, message);
  switch (field.kind) {
    case "flag":
      return draft === true;
    case "choice":
      return field.options[Number(draft)]?.value;
    case "text":
      return typeof draft === "string" ? textValue(field, draft, wrong) : undefined;
    case "number":
      return typeof draft === "string" ? numberValue(field, draft, wrong) : undefined;
    case "json":
      return typeof draft === "string" ? jsonValue(draft, wrong) : undefined;
    case "list":
      return Array.isArray(draft) ? listValue(field, draft as readonly Draft[], at, problems) : undefined;
    case "group": {
      const given = isRecord(draft) ? draft : {};
      const entries = field.fields.map(([name, one]) => {
        const value = valueOf(one, given[name] ?? draftOf(one), `${at}/${escaped(name)}`, problems);
        return [name, value] as const;
      });
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    }
  }
}

/** A tick always says something; an object that is needed is asked for field by field. */
function mayBeBlank(field: Field): boolean {
  return field.kind === "group" ? !field.required || field.nullable : field.kind !== "flag";
}

function blank(field: Field, at: string, problems: Map<string, string>): unknown {
  if (!field.required) return undefined;
  if (field.nullable) return null;
  if (field.kind === "list" && field.min === 0) return [];
  problems.set(at, field.kind === "choice" ? "Choose one" : field.kind === "list" ? "Add one" : "Required");
  return undefined;
}

/** Nothing was put in. */
function isBlank(field: Field, draft: Draft): boolean {
  if (field.kind === "flag") return draft === (field.preset === true);
  if (field.kind === "group")
    return isRecord(draft) && field.fields.every(([name, one]) => isBlank(one, draft[name] ?? ""));
  if (Array.isArray(draft)) return draft.length === 0;
  return typeof draft === "string" && draft.trim() === "";
}

/** Notes what is wrong; what it gives back is left out. */
type Wrong = (message: string) => unknown;

function textValue(field: TextField, text: string, wrong: Wrong): unknown {
  const { length } = Array.from(text); // characters, as JSON Schema counts
  if (length < field.minLength) return wrong(`At least ${field.minLength} characters`);
  if (field.maxLength !== null && length > field.maxLength) return wrong(`At most ${field.maxLength} characters`);
  if (field.pattern !== null && !matches(field.pattern, text)) return wrong(`Must match ${field.pattern}`);
  return text;
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true; // not a pattern of this language: the server decides
  }
}

function numberValue(field: NumberField, text: string, wrong: Wrong): unknown {
  const value = Number(text.trim().replace(",", "."));
  const { min, max, above, below, step } = field;
  if (!Number.isFinite(value)) return wrong("A number is needed");
  if (field.integer && !Number.isSafeInteger(value)) return wrong("A whole number is needed");
  if (min !== null && value < min) return wrong(`At least ${min}`);
  if (max !== null && value > max) return wrong(`At most ${max}`);
  if (above !== null && value <= above) return wrong(`More than ${above}`);
  if (below !== null && value >= below) return wrong(`Less than ${below}`);
  const parts = step === null || step === 0 ? 0 : value / step;
  if (Math.abs(parts - Math.round(parts)) > 1e-9) return wrong(`A multiple of ${step ?? 0}`);
  return value;
}

function jsonValue(text: string, wrong: Wrong): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return wrong("This is not JSON");
  }
}

function listValue(
  field: ListField,
  drafts: readonly Draft[],
  at: string,
  problems: Map<string, string>,
): readonly unknown[] {
  if (drafts.length < field.min) problems.set(at, `At least ${field.min}`);
  if (field.max !== null && drafts.length > field.max) problems.set(at, `At most ${field.max}`);
  return drafts.map((draft, i) => valueOf(field.item, draft, `${at}/${i}`, problems));
}

function indexIn(field: ChoiceField, value: unknown): string {
  const wanted = JSON.stringify(value);
  const index = field.options.findIndex((one) => JSON.stringify(one.value) === wanted);
  return index < 0 ? "" : String(index);
}

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
const isRecord = (value: unknown): value is Readonly<Record<string, Draft | undefined>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
