import { type ReactNode, useMemo, useRef, useState } from "react";

import { useCommand } from "../app/keys";
import type { AreaProps } from "./AnswerArea";
import { Deadline } from "./Deadline";
import { type Field, formOf, type Schema } from "./form/field";
import { focusFirst, Form } from "./form/Form";
import { Rejection } from "./Rejection";

const FREE: Field = {
  kind: "text",
  label: "",
  help: null,
  required: true,
  nullable: false,
  preset: undefined,
  minLength: 1,
  maxLength: null,
  pattern: null,
  format: null,
  long: true,
};

/** A form from the schema; a text where there is none. A form may also be turned down. */
export function FormArea(props: AreaProps & { readonly keys: boolean }): ReactNode {
  const { question, pending, give, keys } = props;
  const { schema } = question;
  const [rejecting, setRejecting] = useState(false);
  const field = useMemo(() => (isSchema(schema) ? formOf(schema) : FREE), [schema]);
  const mayReject = question.kind === "form";
  const box = useRef<HTMLDivElement>(null);
  useCommand("reject", () => setRejecting(true), keys && mayReject && !rejecting);
  useCommand("edit", () => focusFirst(box.current), keys && !rejecting);
  return (
    <>
      <div ref={box} hidden={rejecting}>
        <Form
          question={question.question_id}
          field={field}
          submit="Answer"
          busy={pending !== null}
          onSubmit={(value) => give("answer", value)}
          beside={
            <>
              {mayReject ? (
                <button type="button" className="button thumb" onClick={() => setRejecting(true)}>
                  Reject
                </button>
              ) : null}
              <Deadline question={question} />
            </>
          }
        />
      </div>
      {rejecting ? <Rejection {...props} onBack={() => setRejecting(false)} /> : null}
    </>
  );
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
