import { type ReactNode, useId } from "react";

import { CloseIcon } from "../../ui/icons";
import { type Draft, draftOf } from "./draft";
import type { ListField } from "./field";
import { FieldInput, type InputProps } from "./FieldInput";

const NONE: readonly Draft[] = [];

/** Any number of the same. */
export function ListInput({ field, draft, at, problems, onChange }: InputProps<ListField>): ReactNode {
  const id = useId();
  const items = Array.isArray(draft) ? (draft as readonly Draft[]) : NONE;
  const problem = problems.get(at);
  const full = field.max !== null && items.length >= field.max;
  return (
    <div role="group" aria-labelledby={id} className="flex min-w-0 flex-col gap-2">
      <span id={id} className="text-s text-dim">
        {field.label}
        {field.required ? "" : " (optional)"}
      </span>
      {field.help === null ? null : <p className="text-s text-dim">{field.help}</p>}
      {items.map((item, i) => (
        <div key={i} className="flex items-start gap-2">
          <div className="min-w-0 grow">
            <FieldInput
              field={field.item}
              draft={item}
              at={`${at}/${i}`}
              problems={problems}
              onChange={(next) => onChange(items.map((one, k) => (k === i ? next : one)))}
            />
          </div>
          <button
            type="button"
            className="button quiet icon"
            aria-label={`Remove item ${i + 1} of ${field.label}`}
            disabled={items.length <= field.min}
            onClick={() => onChange(items.filter((_, k) => k !== i))}
          >
            <CloseIcon />
          </button>
        </div>
      ))}
      <button
        type="button"
        className="button small thumb self-start"
        disabled={full}
        onClick={() => onChange([...items, draftOf(field.item)])}
      >
        Add
      </button>
      {problem === undefined ? null : (
        <p role="alert" className="text-s text-bad">
          {problem}
        </p>
      )}
    </div>
  );
}
