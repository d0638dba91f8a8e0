import type { RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { StateWord } from "../ui/Tone";
import { ResultView } from "./ResultView";
import { Row } from "./Row";
import { endWords } from "./words";

/** Why it ended, and what it gave. */
export function Ending({ view }: { readonly view: RunView }): ReactNode {
  const end = endWords(view);
  if (end === null) return null;
  return (
    <Row at={view.endedAt} kind="end">
      <StateWord tone={end.tone}>{end.title}</StateWord>
      {end.why === null ? null : (
        <p className="mt-1 whitespace-pre-wrap text-dim [overflow-wrap:anywhere]">{end.why}</p>
      )}
      <ResultView view={view} />
    </Row>
  );
}
