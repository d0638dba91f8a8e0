import type { QuestionRow } from "@antiphon/client";
import type { ReactNode } from "react";

/** A question as it stood open in the past: it cannot be answered there. */
export function PastQuestion({ question }: { readonly question: QuestionRow }): ReactNode {
  return (
    <section aria-label={question.prompt} className="ask open">
      <h3 className="font-strong [overflow-wrap:anywhere]">{question.prompt}</h3>
      <p className="mt-1 text-s text-dim">It was open at this moment.</p>
    </section>
  );
}
