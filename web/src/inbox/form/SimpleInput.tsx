/** The controls themselves: what the browser offers, with its keyboards and pickers. */

import type { HTMLInputTypeAttribute, ReactNode } from "react";

import type { ChoiceField, Field, NumberField, TextField } from "./field";
import type { InputProps } from "./FieldInput";

interface SimpleProps<F extends Field = Field> extends InputProps<F> {
  readonly id: string;
  readonly describedBy: string;
  readonly invalid: boolean;
}

/** Up to so many options stand side by side. */
const FEW = 5;
const TYPES: Readonly<Record<string, HTMLInputTypeAttribute>> = {
  date: "date",
  email: "email",
  uri: "url",
  password: "password",
};

export function SimpleInput(props: SimpleProps): ReactNode {
  const { field, draft, id, onChange } = props;
  switch (field.kind) {
    case "flag":
      return (
        <input
          id={id}
          type="checkbox"
          className="size-4"
          checked={draft === true}
          onChange={(event) => onChange(event.target.checked)}
          {...aria(props)}
        />
      );
    case "choice":
      return field.options.length <= FEW ? <Radios {...props} field={field} /> : <Select {...props} field={field} />;
    case "number":
      return <NumberInput {...props} field={field} />;
    case "text":
      return field.long ? <Area {...props} mono={false} /> : <TextInput {...props} field={field} />;
    default:
      return <Area {...props} mono />;
  }
}

function aria({ describedBy, invalid, field }: SimpleProps): Record<string, unknown> {
  return {
    "aria-describedby": describedBy === "" ? undefined : describedBy,
    "aria-invalid": invalid ? true : undefined,
    "aria-required": field.required ? true : undefined,
    "aria-label": field.label === "" ? "Answer" : undefined,
  };
}

const typed = (draft: unknown): string => (typeof draft === "string" ? draft : "");

function TextInput(props: SimpleProps<TextField>): ReactNode {
  const { field, draft, id, onChange } = props;
  return (
    <input
      id={id}
      className="field thumb w-full"
      type={TYPES[field.format ?? ""] ?? "text"}
      value={typed(draft)}
      onChange={(event) => onChange(event.target.value)}
      {...aria(props)}
    />
  );
}

function NumberInput(props: SimpleProps<NumberField>): ReactNode {
  const { field, draft, id, onChange } = props;
  const bounds = [field.min ?? field.above, field.max ?? field.below];
  return (
    <span className="flex items-center gap-2">
      <input
        id={id}
        className="field thumb num w-[140px]"
        inputMode={field.integer ? "numeric" : "decimal"}
        value={typed(draft)}
        onChange={(event) => onChange(event.target.value)}
        {...aria(props)}
      />
      {bounds.every((bound) => bound === null) ? null : (
        <span className="num text-s text-faint">{boundWords(bounds[0] ?? null, bounds[1] ?? null)}</span>
      )}
    </span>
  );
}

function boundWords(low: number | null, high: number | null): string {
  if (low === null) return `up to ${high ?? ""}`;
  return high === null ? `from ${low}` : `${low} to ${high}`;
}

function Area({ mono, ...props }: SimpleProps & { readonly mono: boolean }): ReactNode {
  const { draft, id, onChange } = props;
  const lines = typed(draft).split("\n").length;
  return (
    <textarea
      id={id}
      className={`field w-full resize-y ${mono ? "font-mono text-s" : ""}`}
      rows={Math.min(12, Math.max(3, lines))}
      spellCheck={!mono}
      value={typed(draft)}
      onChange={(event) => onChange(event.target.value)}
      {...aria(props)}
    />
  );
}

function Radios(props: SimpleProps<ChoiceField>): ReactNode {
  const { field, draft, id, onChange } = props;
  return (
    <div role="radiogroup" aria-labelledby={`${id}-label`} className="flex flex-wrap gap-2" {...aria(props)}>
      {field.options.map((option, i) => (
        <label key={i} className={`button thumb cursor-pointer ${draft === String(i) ? "on" : ""}`}>
          <input
            id={i === 0 ? id : undefined}
            type="radio"
            name={id}
            checked={draft === String(i)}
            onChange={() => onChange(String(i))}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}

function Select(props: SimpleProps<ChoiceField>): ReactNode {
  const { field, draft, id, onChange } = props;
  return (
    <select
      id={id}
      className="field thumb w-full"
      value={typed(draft)}
      onChange={(event) => onChange(event.target.value)}
      {...aria(props)}
    >
      <option value="">{field.required ? "Choose one" : "None"}</option>
      {field.options.map((option, i) => (
        <option key={i} value={i}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
