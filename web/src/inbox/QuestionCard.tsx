import type { QuestionRow } from "@antiphon/client";
import { memo, type ReactNode } from "react";

import { Markdown } from "../runs/markdown/Markdown";
import { Problem } from "../ui/Notice";
import { AnswerArea } from "./AnswerArea";
import { dismissProblem, useAnswering } from "./answering";
import { Outcome } from "./Outcome";

interface CardProps {
  readonly question: QuestionRow;
  readonly keys: boolean; // a, e and r act on this one
}

/** A question where it was asked: the prompt, what can be answered, and what happens if nobody does. */
export const QuestionCard = memo(function QuestionCard({ question, keys }: CardProps): ReactNode {
  const { question_id: id, prompt, details, status } = question;
  const { problem } = useAnswering(id);
  const open = status === "open";
  return (
    <section aria-label={prompt} data-question={id} data-status={status} className={`ask ${open ? "open" : ""}`}>
      <h3 className="font-strong [overflow-wrap:anywhere]">{prompt}</h3>
      {details === null || details === "" ? null : (
        <div className="mt-1 text-dim">
          <Markdown text={details} growing={false} />
        </div>
      )}
      <div className="mt-3 flex flex-col gap-3">
        {open ? <AnswerArea question={question} keys={keys} /> : <Outcome question={question} />}
        {problem === null || problem.at !== null || !open ? null : (
          <Problem onDismiss={() => dismissProblem(id)}>{problem.message}</Problem>
        )}
      </div>
    </section>
  );
});
