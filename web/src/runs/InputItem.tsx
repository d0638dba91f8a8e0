import type { RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { isEmptyJson, JsonText } from "./json";
import { Row } from "./Row";

/** What the run was started with. */
export function InputItem({ view }: { readonly view: RunView }): ReactNode {
  if (isEmptyJson(view.input)) return null;
  return (
    <Row at={view.startedAt} kind="input">
      <div className="mb-[2px] text-s text-dim">{view.by ?? "input"}</div>
      {typeof view.input === "string" ? (
        <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{view.input}</p>
      ) : (
        <JsonText value={view.input} />
      )}
    </Row>
  );
}
