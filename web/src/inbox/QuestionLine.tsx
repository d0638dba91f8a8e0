import type { QuestionRow } from "@antiphon/client";
import type { ReactNode } from "react";

import { toneClass } from "../ui/Tone";
import { useAnswering } from "./answering";
import { Deadline } from "./Deadline";
import { outcomeWords } from "./words";

interface LineProps {
  readonly question: QuestionRow;
  readonly onChoose: () => void;
}

/** A question that is not chosen: enough to know whether it is the one. */
export function QuestionLine({ question, onChoose }: LineProps): ReactNode {
  const { mine } = useAnswering(question.question_id);
  const outcome = outcomeWords(question, mine);
  return (
    <button
      type="button"
      data-question={question.question_id}
      data-status={question.status}
      onClick={onChoose}
      className="thumb flex w-full min-w-0 flex-col gap-1 rounded-box border border-edge bg-panel px-4 py-2 text-left hover:bg-sunk"
    >
      <span className={`w-full truncate ${question.status === "open" ? "font-medium" : "text-dim"}`}>
        {question.prompt}
      </span>
      <span className="flex w-full flex-wrap items-baseline gap-x-3 text-s text-dim">
        <span className="truncate">{question.run_name}</span>
        {question.status === "open" ? (
          <Deadline question={question} />
        ) : (
          <span className={`min-w-0 truncate ${toneClass(outcome.tone)}`}>{outcome.text}</span>
        )}
      </span>
    </button>
  );
}
