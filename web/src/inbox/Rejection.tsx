import type { ReactNode } from "react";

import type { AreaProps } from "./AnswerArea";
import { Deadline } from "./Deadline";
import type { Field } from "./form/field";
import { Form } from "./form/Form";

const REASON: Field = {
  kind: "text",
  label: "Reason",
  help: null,
  required: false,
  nullable: false,
  preset: undefined,
  minLength: 0,
  maxLength: null,
  pattern: null,
  format: null,
  long: true,
};

/** A rejection may say why; the second press is what rejects. */
export function Rejection({ question, pending, give, onBack }: AreaProps & { readonly onBack: () => void }): ReactNode {
  return (
    <Form
      question={question.question_id}
      field={REASON}
      submit="Reject"
      busy={pending !== null}
      autoFocus
      onSubmit={(reason) => give("reject", reason === null ? undefined : reason)}
      onBack={onBack}
      beside={<Deadline question={question} />}
    />
  );
}
