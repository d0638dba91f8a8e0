import { useVirtualizer, type Range, type Virtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";

import { useCommand } from "../app/keys";
import { usePreferences } from "../app/preferences";
import { count, plural } from "../lib/format";
import { useWide } from "../ui/media";
import { usePane, useReader } from "./pane";
import { Rows } from "./Rows";
import { ScrollBar } from "./ScrollBar";
import { StatusLine } from "./StatusLine";
import { type Chosen, extendChoice } from "./choosing";
import { useScrolling } from "./useScrolling";

export const ROW_PX = 20;
const OVERSCAN = 16;

/** The virtualised lines. Everything about *what* is loaded is the reader's; here is only what is on screen. */
export function LogView(): ReactNode {
  const { reader, searching } = usePane();
  const { entries } = useReader((state) => state.window);
  const following = useReader((state) => state.following);
  const wrap = usePreferences((preferences) => preferences.wrap);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const wide = useWide();

  const rows: Virtualizer<HTMLDivElement, HTMLDivElement> = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: useCallback((index: number) => entries[index]?.offset ?? index, [entries]),
    // Following, the view sticks to the end by itself; paused, the line in sight stays where it is whatever is loaded.
    anchorTo: following ? "start" : "end",
    overscan: OVERSCAN,
    rangeExtractor: following ? tailRange(box.current?.clientHeight ?? 0) : seenRange,
    paddingEnd: ROW_PX / 2,
  });
  const { onScroll, onWheel, onKeyDown, seekTo } = useScrolling(box, rows);
  const choose = useCallback(
    (offset: number, extend: boolean) => setChosen((now) => extendChoice(now, offset, extend)),
    [],
  );

  const top = following ? Math.max(0, entries.length - visibleRows(rows)) : (rows.range?.startIndex ?? 0);
  useCommand("close", () => {
    setChosen(null);
    reader.forgetTarget();
    searching.clear();
  });
  const topOffset = entries[top]?.offset ?? 1;
  useEffect(() => reader.see(topOffset), [reader, topOffset]);
  const bottom = following ? entries.length - 1 : (rows.range?.endIndex ?? 0);
  return (
    <div className="flex min-h-0 min-w-0 grow flex-col">
      <div className="relative min-h-0 grow overflow-hidden">
        {/* The bar on the right stands for the whole log; the box's own would only stand for what is loaded. */}
        <div
          ref={box}
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label="Lines"
          data-keeps-arrows
          onScroll={onScroll}
          onWheel={onWheel}
          onKeyDown={onKeyDown}
          className="log absolute inset-y-0 left-0 w-[calc(100%+var(--bar,0px))] overflow-auto outline-offset-[-2px]"
        >
          <Rows rows={rows} wrap={wrap} chosen={chosen} onChoose={choose} withMs={wide} />
        </div>
        <ScrollBar top={topOffset} visible={visibleRows(rows)} onSeek={seekTo} />
        <NewLines />
        <OlderState />
      </div>
      <StatusLine offset={entries[bottom]?.offset ?? 0} chosen={chosen} onClear={() => setChosen(null)} />
    </div>
  );
}

function visibleRows(rows: Virtualizer<HTMLDivElement, HTMLDivElement>): number {
  return Math.max(1, Math.floor((rows.scrollRect?.height ?? 0) / ROW_PX));
}

/** While following the end is drawn whatever the scroll position was a moment ago: a burst never leaves a blank. */
const tailRange =
  (heightPx: number) =>
  ({ count: all }: Range): number[] => {
    const rows = Math.ceil(Math.max(heightPx, 400) / ROW_PX) + 4;
    const from = Math.max(0, all - rows);
    return Array.from({ length: all - from }, (_, i) => from + i);
  };

function seenRange({ startIndex, endIndex, overscan, count: all }: Range): number[] {
  const from = Math.max(0, startIndex - overscan);
  const to = Math.min(all - 1, endIndex + overscan);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Paused: how much has come since, and the way there. */
function NewLines(): ReactNode {
  const { reader } = usePane();
  const fresh = useReader((state) => (state.following || state.phase !== "ready" ? 0 : state.head - state.window.last));
  if (fresh <= 0) return null;
  return (
    <button
      type="button"
      onClick={() => reader.follow()}
      className="num absolute bottom-3 left-1/2 -translate-x-1/2 rounded-[16px] border border-edge bg-text px-3 py-1 text-s text-bg"
    >
      {plural(fresh, "new line")}
    </button>
  );
}

/** What is going on at the old end. */
function OlderState(): ReactNode {
  const { reader } = usePane();
  const older = useReader((state) => state.older);
  const newer = useReader((state) => state.newer);
  const first = useReader((state) => state.window.first);
  const filter = useReader((state) => state.filter);
  const phase = useReader((state) => state.phase);
  const failed = older === "failed" ? "older" : newer === "failed" ? "newer" : null;
  if (failed !== null) {
    return (
      <div
        role="alert"
        className="absolute top-2 left-1/2 flex -translate-x-1/2 items-center gap-2 rounded-box border border-edge bg-panel px-3 py-1 text-s"
      >
        <span className="text-bad">The {failed} lines did not come.</span>
        <button
          type="button"
          className="button small"
          onClick={() => void (failed === "older" ? reader.loadOlder() : reader.loadNewer())}
        >
          Try again
        </button>
      </div>
    );
  }
  const words =
    phase === "loading"
      ? "Loading"
      : older !== "loading"
        ? null
        : filter === "all"
          ? "Loading older lines"
          : `Looking for ${filter} before line ${count(first)}`;
  if (words === null) return null;
  return (
    <div
      role="status"
      className="num pointer-events-none absolute top-2 left-1/2 -translate-x-1/2 rounded-box border border-edge bg-panel px-3 py-1 text-s text-dim"
    >
      {words}
    </div>
  );
}
