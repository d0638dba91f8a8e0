import { useVirtualizer, type Range, type Virtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useMemo, useRef, useState } from "react";

import { useCommand } from "../app/keys";
import { navigate } from "../app/navigation";
import { plural } from "../lib/format";
import { EntryRow, speakerName } from "./EntryRow";
import { NobodySpoke } from "./NoForum";
import { readPlace } from "./place";
import { showSpeakers, useRoom } from "./room";
import { SentLines } from "./SentLines";
import { useFollowing } from "./useFollowing";
import { isGrowing, shownOf } from "./words";

const ROW_PX = 88;
/** So many of the newest are drawn while one follows them: a burst never leaves a blank. */
const NEWEST = 30;
const OVERSCAN = 8;

/** What was said, as far as it is read; only what is in sight is drawn. */
export function Conversation(): ReactNode {
  const { entries, forum, view, older, first, oldest, stopHost, loadOlder } = useRoom();
  const shown = useMemo(() => shownOf(entries, view.speakers), [entries, view.speakers]);
  const box = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(() => view.at === null && readPlace() === null);
  const rows: Virtualizer<HTMLDivElement, HTMLDivElement> = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: useCallback((index: number) => shown[index]?.key ?? index, [shown]),
    // Following, the view sticks to the end by itself; paused, what is in sight stays where it is whatever is loaded.
    anchorTo: following ? "start" : "end",
    overscan: OVERSCAN,
    rangeExtractor: following ? newest : inSight,
    paddingStart: 16,
  });
  const scroll = useFollowing({ box, rows, shown, following, onFollowing: setFollowing });
  useCommand("follow", scroll.toggle);
  const forgetTarget = (): void => navigate({ page: "forum", ...view, at: null }, { replace: true });
  useCommand("close", forgetTarget, view.at !== null && forum?.host.status !== "speaking");
  const onStop = useCallback(() => void stopHost().catch(() => undefined), [stopHost]); // the head tells what is wrong
  if (entries.length === 0 && first <= oldest)
    return (
      <div className="flex min-h-0 grow flex-col">
        <div className="min-h-0 grow">
          <NobodySpoke />
        </div>
        <SentLines />
      </div>
    );
  return (
    <div className="flex min-h-0 min-w-0 grow flex-col">
      <div className="relative min-h-0 grow">
        <div
          ref={box}
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label="Speeches"
          data-keeps-arrows
          data-following={following ? "" : undefined}
          onScroll={scroll.onScroll}
          onWheel={scroll.onWheel}
          onKeyDown={scroll.onKeyDown}
          className="absolute inset-0 overflow-x-hidden overflow-y-auto px-4 outline-offset-[-2px] wide:px-6"
        >
          <div className="relative" style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map((item) => {
              const entry = shown[item.index];
              if (entry === undefined) return null;
              return (
                <div
                  key={entry.key}
                  ref={rows.measureElement}
                  data-index={item.index}
                  data-offset={entry.offset}
                  className="talk-row"
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <EntryRow
                    entry={entry}
                    name={speakerName(entry, forum)}
                    growing={entry.kind === "speech" && isGrowing(entry, forum)}
                    target={view.at !== null && entry.offset <= view.at && entry.upto >= view.at}
                    view={view}
                    onStop={onStop}
                  />
                </div>
              );
            })}
          </div>
        </div>
        {shown.length === 0 ? <NoneOfThese /> : null}
        {scroll.fresh === 0 ? null : (
          <button
            type="button"
            onClick={scroll.follow}
            className="num absolute bottom-3 left-1/2 -translate-x-1/2 rounded-[16px] border border-edge bg-text px-3 py-1 text-s text-bg"
          >
            {scroll.fresh} new
          </button>
        )}
        <OlderState older={older} onRetry={() => void loadOlder()} />
      </div>
      <SentLines />
      <div className="num flex min-h-[28px] items-center gap-x-3 px-4 text-s text-dim wide:px-6">
        <span className="truncate">{readWords(shown, first > oldest)}</span>
        <span className="grow" />
        <button
          type="button"
          className="thumb rounded-box px-2 hover:text-text"
          title={following ? "Pause (f)" : "Go to the end and follow (f)"}
          onClick={scroll.toggle}
        >
          {following ? "following" : "paused"}
        </button>
      </div>
    </div>
  );
}

function readWords(shown: readonly { readonly kind: string }[], more: boolean): string {
  const many = shown.reduce((sum, { kind }) => sum + (kind === "speech" ? 1 : 0), 0);
  return `${plural(many, "speech", "speeches")}${more ? " read, more before" : ""}`;
}

/** Nothing passes the filter, as far as one has read. */
function NoneOfThese(): ReactNode {
  const { view } = useRoom();
  return (
    <div className="absolute inset-0 grid place-items-center p-5">
      <div className="flex flex-col items-center gap-3" role="status">
        <p className="text-dim">None of these has spoken.</p>
        <button type="button" className="button" onClick={() => showSpeakers(view, [])}>
          Show all
        </button>
      </div>
    </div>
  );
}

interface OlderProps {
  readonly older: "idle" | "loading" | "failed";
  readonly onRetry: () => void;
}

/** What goes on at the old end. */
function OlderState({ older, onRetry }: OlderProps): ReactNode {
  if (older === "idle") return null;
  const place =
    "absolute top-2 left-1/2 flex -translate-x-1/2 items-center gap-2 rounded-box border border-edge bg-panel px-3 py-1 text-s";
  if (older === "loading")
    return (
      <div role="status" className={`${place} pointer-events-none text-dim`}>
        Loading older speeches
      </div>
    );
  return (
    <div role="alert" className={place}>
      <span className="text-bad">The older speeches did not come.</span>
      <button type="button" className="button small" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const newest = ({ count: all }: Range): number[] => range(Math.max(0, all - NEWEST), all - 1);
const inSight = ({ startIndex, endIndex, overscan, count: all }: Range): number[] =>
  range(Math.max(0, startIndex - overscan), Math.min(all - 1, endIndex + overscan));
