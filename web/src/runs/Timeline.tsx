import type { RunView, TimelineItem } from "@antiphon/client";
import { type ReactNode, useRef, useState } from "react";

import { plural } from "../lib/format";
import { Ending } from "./Ending";
import { InputItem } from "./InputItem";
import { TimelineRow } from "./TimelineRow";
import { useStick } from "./useStick";

/** So many of the newest are drawn; earlier ones when asked for. */
const NEWEST = 300;

interface TimelineProps {
  readonly view: RunView;
  readonly past: boolean; // a moment of the past: nothing can be answered there
}

/** All that the run said, in the order in which it began. */
export function Timeline({ view, past }: TimelineProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [more, setMore] = useState(0);
  const { items } = view;
  const hidden = Math.max(0, items.length - NEWEST - more);
  const shown = hidden === 0 ? items : items.slice(hidden);
  const onScroll = useStick(box, view.endedAt === null && !past);
  const firstOpen = past ? null : (view.openQuestions[0]?.question_id ?? null);
  return (
    <div ref={box} onScroll={onScroll} className="min-h-0 grow overflow-y-auto px-4 pb-4 wide:px-6">
      <div>
        {hidden === 0 ? null : (
          <p className="pb-4">
            <button type="button" className="button small" onClick={() => setMore(more + 2 * NEWEST)}>
              Show earlier ({plural(hidden, "entry", "entries")})
            </button>
          </p>
        )}
        <ol aria-label="Timeline" className="tl">
          {hidden > 0 ? null : <InputItem view={view} />}
          {shown.map((item) => (
            <TimelineRow
              key={item.key}
              item={item}
              who={whoOf(item, view)}
              keys={isAsked(item, firstOpen)}
              past={past}
            />
          ))}
          <Ending view={view} />
        </ol>
        {items.length === 0 && view.input === null && view.endedAt === null ? (
          <p className="text-dim" role="status">
            It has not said anything yet.
          </p>
        ) : null}
      </div>
    </div>
  );
}

const isAsked = (item: TimelineItem, id: string | null): boolean => item.kind === "question" && item.id === id;

/** Who speaks: the person, or the run by its name. */
function whoOf(item: TimelineItem, view: RunView): string {
  if (item.kind !== "message") return "";
  if (item.role === "user") return view.by ?? "user";
  return item.role === "assistant" ? (view.name ?? "assistant") : item.role;
}
