import type { RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { StateWord } from "../ui/Tone";
import { isEmptyJson, JsonText } from "./json";
import { Markdown } from "./markdown/Markdown";
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
      {isEmptyJson(view.result) || isSaid(view) ? null : (
        <div className="mt-2">
          {typeof view.result === "string" ? (
            <Markdown text={view.result} growing={false} />
          ) : (
            <JsonText value={view.result} />
          )}
        </div>
      )}
    </Row>
  );
}

/** The result is often what was said last; once is enough. */
function isSaid({ result, items }: RunView): boolean {
  const last = items.findLast((item) => item.kind === "message" && item.role === "assistant");
  return last?.kind === "message" && last.text === result;
}
