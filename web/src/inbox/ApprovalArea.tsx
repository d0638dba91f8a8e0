import { type ReactNode, useMemo, useState } from "react";

import { useCommand } from "../app/keys";
import type { AreaProps } from "./AnswerArea";
import { Deadline } from "./Deadline";
import { isSchema } from "./FormArea";
import { type Field, formOf } from "./form/field";
import { Form } from "./form/Form";
import { Rejection } from "./Rejection";
import { ValueView } from "./ValueView";

type Mode = "asking" | "editing" | "rejecting";

const PLAIN = { label: "", help: null, required: true, nullable: false, preset: undefined } as const;
const TEXT = { kind: "text", minLength: 0, maxLength: null, pattern: null, format: null, long: true } as const;

/** Approve, edit or reject. */
export function ApprovalArea(props: AreaProps & { readonly keys: boolean }): ReactNode {
  const { question, pending, give, keys } = props;
  const [mode, setMode] = useState<Mode>("asking");
  const { value, schema } = question;
  const field = useMemo(() => editField(schema, value), [schema, value]);
  const ready = keys && mode === "asking" && pending === null;
  useCommand("approve", () => give("approve"), ready);
  useCommand("edit", () => setMode("editing"), ready && field !== null);
  useCommand("reject", () => setMode("rejecting"), ready);
  const back = (): void => setMode("asking");
  if (mode === "editing" && field !== null)
    return (
      <Form
        question={question.question_id}
        field={field}
        value={value ?? undefined}
        submit="Approve with changes"
        busy={pending !== null}
        autoFocus
        onSubmit={(edited) => give("edit", edited)}
        onBack={back}
        beside={<Deadline question={question} />}
      />
    );
  return (
    <>
      {isNothing(value) ? null : <ValueView value={value} />}
      {mode === "rejecting" ? (
        <Rejection {...props} onBack={back} />
      ) : (
        <div className="ask-row">
          <button
            type="button"
            className="button main thumb"
            disabled={pending !== null}
            onClick={() => give("approve")}
          >
            Approve {keys ? <kbd className="hidden border-current! text-[inherit]! wide:inline">a</kbd> : null}
          </button>
          {field === null ? null : (
            <button
              type="button"
              className="button thumb"
              disabled={pending !== null}
              onClick={() => setMode("editing")}
            >
              {editWords(field)}
            </button>
          )}
          <button
            type="button"
            className="button thumb"
            disabled={pending !== null}
            onClick={() => setMode("rejecting")}
          >
            Reject
          </button>
          <Deadline question={question} />
        </div>
      )}
    </>
  );
}

/** The form that edits the value; null = there is nothing to edit. */
function editField(schema: unknown, value: unknown): Field | null {
  if (isSchema(schema)) return formOf(schema);
  if (isNothing(value)) return null;
  return typeof value === "string" ? { ...PLAIN, ...TEXT } : { ...PLAIN, kind: "json" };
}

function editWords(field: Field): string {
  const only = field.kind === "group" && field.fields.length === 1 ? field.fields[0] : undefined;
  return only === undefined ? "Edit" : `Edit ${only[1].label.toLowerCase()}`;
}

const isNothing = (value: unknown): boolean => value === null || value === undefined;
