import type { RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { isEmptyJson, JsonText } from "./json";
import { Markdown } from "./markdown/Markdown";

/** What a run gave, unless it has been said already. */
export function ResultView({ view }: { readonly view: RunView }): ReactNode {
  const { result } = view;
  if (isEmptyJson(result) || isSaid(view)) return null;
  return (
    <div className="mt-2">
      {typeof result === "string" ? <Markdown text={result} growing={false} /> : <JsonText value={result} />}
    </div>
  );
}

/** The result is often what was said last; once is enough. */
function isSaid({ result, items }: RunView): boolean {
  const last = items.findLast((item) => item.kind === "message" && item.role === "assistant");
  return last?.kind === "message" && last.text === result;
}
