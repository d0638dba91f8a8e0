import type { QuestionRow } from "@antiphon/client";
import type { ReactNode } from "react";

import { useNow } from "../lib/clock";
import { deadlineWords } from "./words";

/** The stated default, and when it applies. */
export function Deadline({ question }: { readonly question: QuestionRow }): ReactNode {
  useNow(); // draws it anew each second
  const { before, value, after, urgent } = deadlineWords(question, Date.now());
  return (
    <small className={`num text-xs ${urgent ? "text-wait" : "text-dim"}`}>
      {before} {value === null ? null : <b className="font-strong">{value} </b>}
      {after}
    </small>
  );
}
