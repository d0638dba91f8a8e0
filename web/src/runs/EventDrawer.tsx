import type { RecordedItem } from "@antiphon/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { useCommand } from "../app/keys";
import { clockTime, plural } from "../lib/format";
import { CloseIcon } from "../ui/icons";
import { JsonText, oneLine } from "./json";

interface DrawerProps {
  readonly items: readonly RecordedItem[]; // grows in place
  readonly head: number; // changes whenever it has grown
  readonly at: number; // the event that is shown above
  readonly past: boolean; // that is not the newest
  readonly onGo: (at: number) => void;
  readonly onClose: () => void;
}

const ROW_PX = 24;

/** The events as they came over the wire. The newest one stays in sight until somebody scrolls up, or chooses one. */
export function EventDrawer({ items, head, at, past, onGo, onClose }: DrawerProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [chosen, setChosen] = useState<number | null>(null);
  useCommand("close", onClose);
  const list = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const wanted = past ? at : head;
  useEffect(() => {
    if (!past && (!atEnd.current || chosen !== null)) return;
    const index = items.findLastIndex((item) => item.kind === "event" && item.offset <= wanted);
    if (index >= 0) list.scrollToIndex(index, { align: "auto" });
  }, [items, list, wanted, past, chosen]);
  useEffect(() => {
    if (chosen === null) return; // what it says takes room from the list
    const index = items.findIndex((item) => item.kind === "event" && item.offset === chosen);
    list.scrollToIndex(index, { align: "auto" });
  }, [items, list, chosen]);
  const many = items.reduce((sum, item) => sum + (item.kind === "event" ? 1 : 0), 0); // not the marks between them
  const event = items.find((item) => item.kind === "event" && item.offset === chosen);
  return (
    <section
      aria-label="Events"
      className="flex h-[40%] min-h-[160px] flex-none flex-col border-t border-edge bg-panel"
    >
      <div className="flex items-center gap-2 px-4 py-1 text-s text-dim wide:px-6">
        <span className="num grow">{plural(many, "event")}, as they came</span>
        <button type="button" className="button quiet icon" aria-label="Close the events" onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      <div
        ref={box}
        className="min-h-0 grow overflow-y-auto"
        data-keeps-arrows
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < 2 * ROW_PX;
        }}
      >
        <ul className="relative" style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map((place) => {
            const item = items[place.index];
            if (item === undefined) return null;
            return (
              <li
                key={place.key}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${place.start}px)`, height: place.size }}
              >
                <EventLine item={item} at={at} chosen={chosen} onChoose={setChosen} />
              </li>
            );
          })}
        </ul>
      </div>
      {event?.kind === "event" ? (
        <div className="max-h-[60%] flex-none overflow-auto border-t border-edge px-4 py-2 wide:px-6">
          <div className="num mb-1 flex flex-wrap items-center gap-3 text-s text-dim">
            <span>event {event.offset}</span>
            <span>{event.time}</span>
            {event.by === null ? null : <span>by {event.by}</span>}
            <button type="button" className="button small" onClick={() => onGo(event.offset)}>
              Show this moment
            </button>
          </div>
          <JsonText value={event.data} />
        </div>
      ) : null}
    </section>
  );
}

interface LineProps {
  readonly item: RecordedItem;
  readonly at: number;
  readonly chosen: number | null;
  readonly onChoose: (offset: number | null) => void;
}

function EventLine({ item, at, chosen, onChoose }: LineProps): ReactNode {
  if (item.kind !== "event")
    return <div className="px-4 font-mono text-s leading-[24px] text-faint wide:px-6">{item.kind}</div>;
  const isChosen = chosen === item.offset;
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={() => onChoose(isChosen ? null : item.offset)}
      className={`flex h-full w-full items-center gap-3 px-4 text-left font-mono text-s wide:px-6 ${isChosen ? "bg-accent-soft" : "hover:bg-sunk"} ${item.offset > at ? "text-faint" : ""}`}
    >
      <span className="num w-[48px] flex-none text-right text-faint">{item.offset}</span>
      <span className="hidden flex-none text-faint wide:inline">{clockTime(Date.parse(item.time), true)}</span>
      <span className="flex-none">{item.type}</span>
      <span className="min-w-0 truncate text-dim">{oneLine(JSON.stringify(item.data))}</span>
    </button>
  );
}
