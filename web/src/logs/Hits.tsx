import type { LiveEvent } from "@antiphon/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";

import { plainText } from "../lib/ansi";
import { clockTime, count, plural } from "../lib/format";
import { excerpt, markSegments } from "../lib/marks";
import { CloseIcon, DownIcon, UpIcon } from "../ui/icons";
import { Problem } from "../ui/Notice";
import { entryText, toEntry } from "./entry";
import { usePane, useReader, useSearch } from "./pane";
import { MAX_HITS, scannedLines } from "./search";

/** The answer to a search: how many, how far, and the list. Beside the log, or below it where there is no room. */
export function Hits(): ReactNode {
  const phase = useSearch((state) => state.phase);
  const { searching, reader } = usePane();
  const go = (offset: number | null): void => {
    if (offset !== null) void reader.seek(offset, true);
  };
  if (phase === "idle") return null;
  return (
    <aside
      aria-label="Search results"
      className="flex max-h-[40%] min-h-[160px] flex-none flex-col border-t border-edge bg-panel broad:max-h-none broad:w-[320px] broad:border-t-0 broad:border-l"
    >
      <div className="flex items-center gap-1 px-4 pt-3 pb-1">
        <Summary />
        <button
          type="button"
          className="button quiet icon"
          aria-label="Newer hit"
          title="Newer hit (Shift+Enter)"
          onClick={() => go(searching.step(-1))}
        >
          <UpIcon />
        </button>
        <button
          type="button"
          className="button quiet icon"
          aria-label="Older hit"
          title="Older hit (Enter)"
          onClick={() => go(searching.step(1))}
        >
          <DownIcon />
        </button>
        <button
          type="button"
          className="button quiet icon"
          aria-label="Close the search"
          onClick={() => searching.clear()}
        >
          <CloseIcon />
        </button>
      </div>
      <HitList onChoose={(index) => go(searching.choose(index))} />
    </aside>
  );
}

function Summary(): ReactNode {
  const { phase, progress, head, error, active } = useSearch((state) => state);
  const oldest = useReader((state) => state.oldest);
  const total = Math.max(0, head - oldest + 1);
  const place = active === null ? "" : `${count(active + 1)} of `;
  return (
    <div className="num min-w-0 grow" role="status">
      <div className="truncate font-medium">
        {phase === "running" && progress.count === 0 ? "Searching" : place + plural(progress.count, "hit")}
      </div>
      <div className="truncate text-xs text-dim">
        {phase === "running" ? `scanned ${count(scannedLines(progress, oldest, head))} of ${count(total)}` : null}
        {phase === "done" && progress.complete ? `all ${plural(total, "line")} scanned` : null}
        {phase === "done" && !progress.complete ? "stopped" : null}
      </div>
      {phase === "failed" ? <Problem>{error?.message}</Problem> : null}
    </div>
  );
}

function HitList({ onChoose }: { readonly onChoose: (index: number) => void }): ReactNode {
  const hits = useSearch((state) => state.progress.hits);
  const counted = useSearch((state) => state.progress.count);
  const done = useSearch((state) => state.phase === "done");
  const active = useSearch((state) => state.active);
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({
    count: hits.length,
    getScrollElement: () => box.current,
    estimateSize: () => 44,
    overscan: 6,
  });
  useEffect(() => {
    if (active !== null) list.scrollToIndex(active, { align: "auto" });
  }, [active, list]);
  if (hits.length === 0 && done)
    return (
      <p className="px-4 py-2 text-s text-dim">No line contains this. Capital letters count only if “Aa” is on.</p>
    );
  return (
    <div ref={box} className="min-h-0 grow overflow-y-auto px-2 pb-2" data-keeps-arrows>
      <div className="relative" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map((item) => {
          const hit = hits[item.index];
          if (hit === undefined) return null;
          return (
            <div
              key={item.key}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${item.start}px)`, height: item.size }}
            >
              <Hit hit={hit} active={item.index === active} onChoose={() => onChoose(item.index)} />
            </div>
          );
        })}
      </div>
      {hits.length >= MAX_HITS && counted > hits.length ? (
        <p className="px-2 pt-2 text-xs text-faint">The newest {count(hits.length)} are listed; all are counted.</p>
      ) : null}
    </div>
  );
}

interface HitProps {
  readonly hit: LiveEvent;
  readonly active: boolean;
  readonly onChoose: () => void;
}

function Hit({ hit, active, onChoose }: HitProps): ReactNode {
  const text = useSearch((state) => state.text);
  const ignoreCase = useSearch((state) => state.ignoreCase);
  const entry = toEntry(hit);
  const cut = excerpt(plainText(entryText(entry)), text, ignoreCase);
  return (
    <button
      type="button"
      aria-current={active}
      onClick={onChoose}
      className={`flex h-full w-full flex-col justify-center rounded-box px-2 text-left ${active ? "bg-accent-soft" : "hover:bg-sunk"}`}
    >
      <span className="num text-xs text-faint">
        {clockTime(entry.timeMs)} · {count(entry.offset)}
      </span>
      <span className="log-text w-full truncate font-mono text-s leading-[18px]">
        {markSegments([{ text: cut, style: null }], text, ignoreCase).map((piece, i) =>
          piece.marked ? <mark key={i}>{piece.text}</mark> : <span key={i}>{piece.text}</span>,
        )}
      </span>
    </button>
  );
}
