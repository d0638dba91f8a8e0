import type { ToolItem } from "@antiphon/client";
import { type ReactNode, useId, useState } from "react";

import { duration, percent } from "../lib/format";
import { Dot, type Tone } from "../ui/Tone";
import { isEmptyJson, JsonText, oneLine } from "./json";

const TONES: Readonly<Record<ToolItem["status"], Tone>> = {
  running: "run",
  succeeded: "ok",
  failed: "bad",
  cancelled: "stop",
  unknown: "stop",
};

/** A call of a tool: its name and arguments in one line, which grow; opened, all of it and what came back. */
export function ToolCard({ item }: { readonly item: ToolItem }): ReactNode {
  const [open, setOpen] = useState(false);
  const id = useId();
  const running = item.status === "running";
  return (
    <div className="tool" data-tool={item.id} data-status={item.status}>
      <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <Dot tone={TONES[item.status]} busy={running} />
        <code className="flex-none text-s">{item.name}</code>
        <code className="args min-w-0 grow truncate text-left text-s text-dim">{oneLine(item.argumentsText)}</code>
        <span className="num flex-none text-s text-dim">{factOf(item)}</span>
      </button>
      {running && item.progress !== null ? (
        <span className="bar-box">
          <i className="bar" style={{ "--part": item.progress } as React.CSSProperties} />
        </span>
      ) : null}
      {running && item.message !== null ? <p className="px-3 pb-2 text-s text-dim">{item.message}</p> : null}
      {item.error === null || open ? null : <p className="truncate px-3 pb-2 text-s text-bad">{item.error.message}</p>}
      {open ? <Whole item={item} id={id} /> : null}
    </div>
  );
}

/** What stands at the right end: progress, then how long it took. */
function factOf(item: ToolItem): string {
  if (item.status === "running") return item.progress === null ? "" : percent(item.progress * 100);
  const took = item.durationMs === null ? "" : duration(item.durationMs);
  return item.status === "succeeded" ? took : [item.status, took].filter((part) => part !== "").join(" · ");
}

function Whole({ item, id }: { readonly item: ToolItem; readonly id: string }): ReactNode {
  return (
    <div id={id} className="flex flex-col gap-2 border-t border-edge p-3">
      <Part label="Arguments">
        <JsonText text={item.argumentsText} />
      </Part>
      {item.error === null ? null : (
        <Part label={item.error.type ?? "Error"}>
          <p className="text-s whitespace-pre-wrap text-bad [overflow-wrap:anywhere]">{item.error.message}</p>
        </Part>
      )}
      {item.status === "running" || isEmptyJson(item.result) ? null : (
        <Part label="Result">
          <JsonText value={item.result} />
        </Part>
      )}
    </div>
  );
}

function Part({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="min-w-0">
      <div className="text-xs text-faint">{label}</div>
      {children}
    </div>
  );
}
