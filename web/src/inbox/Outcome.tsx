import type { QuestionRow } from "@antiphon/client";
import type { ReactNode } from "react";

import { useNow } from "../lib/clock";
import { dateTime } from "../lib/format";
import { StateWord } from "../ui/Tone";
import { useAnswering } from "./answering";
import { outcomeWords } from "./words";

/** Who answered what; and that one came too late. */
export function Outcome({ question }: { readonly question: QuestionRow }): ReactNode {
  const { mine, late } = useAnswering(question.question_id);
  const { tone, text } = outcomeWords(question, mine);
  const now = useNow();
  return (
    <div role="status" className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
      <StateWord tone={tone}>
        <span className="[overflow-wrap:anywhere]">{text}</span>
      </StateWord>
      {late ? <span className="text-s text-dim">Your answer came later and did not count.</span> : null}
      {question.ended_at === null ? null : (
        <time className="num text-s text-faint" dateTime={question.ended_at}>
          {dateTime(Date.parse(question.ended_at), now)}
        </time>
      )}
    </div>
  );
}
