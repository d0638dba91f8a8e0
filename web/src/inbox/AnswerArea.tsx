import type { AnswerAction, QuestionRow } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import { type ReactNode, useCallback } from "react";

import { giveAnswer, useAnswering } from "./answering";
import { ApprovalArea } from "./ApprovalArea";
import { ChoiceArea } from "./ChoiceArea";
import { FormArea } from "./FormArea";

export type Give = (action: AnswerAction, answer?: unknown) => void;

export interface AreaProps {
  readonly question: QuestionRow;
  readonly pending: AnswerAction | null;
  readonly give: Give;
}

/** The means to answer, as the kind of question asks for. */
export function AnswerArea({ question, keys }: { readonly question: QuestionRow; readonly keys: boolean }): ReactNode {
  const live = useLive();
  const { pending } = useAnswering(question.question_id);
  const give = useCallback<Give>(
    (action, answer) => void giveAnswer(live, question.question_id, action, answer),
    [live, question.question_id],
  );
  const area = { question, pending, give };
  if (question.kind === "approval") return <ApprovalArea {...area} keys={keys} />;
  if (question.options !== null && question.options.length > 0) return <ChoiceArea {...area} keys={keys} />;
  return <FormArea {...area} keys={keys} />;
}
