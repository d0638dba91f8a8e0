import type { MessageItem } from "@antiphon/client";
import { type ReactNode, useState } from "react";

import { Markdown } from "./markdown/Markdown";

/** What somebody said. Thoughts are folded away once they are finished. */
export function MessageView({ item, who }: { readonly item: MessageItem; readonly who: string }): ReactNode {
  if (item.role === "reasoning") return <Reasoning item={item} />;
  return (
    <article data-message={item.id} data-status={item.status}>
      <div className="mb-[2px] text-s text-dim">{who}</div>
      <Body item={item} />
    </article>
  );
}

function Body({ item }: { readonly item: MessageItem }): ReactNode {
  const growing = item.status === "open";
  return (
    <>
      {item.role === "user" ? (
        <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{item.text}</p>
      ) : (
        <Markdown text={item.text} growing={growing} />
      )}
      {growing && item.text === "" ? <span className="caret" aria-label="It is writing" /> : null}
      <Cut status={item.status} />
    </>
  );
}

const CUTS = { cancelled: "Cut off: cancelled", failed: "Cut off: failed", unknown: "Its end is not known" } as const;

function Cut({ status }: { readonly status: MessageItem["status"] }): ReactNode {
  if (status === "open" || status === "completed") return null;
  return <p className={`text-s ${status === "failed" ? "text-bad" : "text-dim"}`}>{CUTS[status]}</p>;
}

function Reasoning({ item }: { readonly item: MessageItem }): ReactNode {
  const growing = item.status === "open";
  const [wanted, setWanted] = useState<boolean | null>(null); // null = nobody has chosen
  const open = wanted ?? growing;
  return (
    <article data-message={item.id} data-status={item.status} className="text-dim">
      <button
        type="button"
        className="text-s underline hover:text-text"
        aria-expanded={open}
        onClick={() => setWanted(!open)}
      >
        {growing ? "Reasoning" : open ? "Hide the reasoning" : "Show the reasoning"}
      </button>
      {open ? <Body item={item} /> : null}
    </article>
  );
}
