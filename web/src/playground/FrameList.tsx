import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";

import { count } from "../lib/format";
import { filterFrames, MAX_FRAMES } from "./frames";
import { FrameRow } from "./FrameRow";
import type { PlaygroundSocket } from "./socket";

const END_PX = 24;

/** Every frame, both ways, oldest first; stays at the end unless one scrolls away. */
export function FrameList({ socket }: { readonly socket: PlaygroundSocket }): ReactNode {
  const { frames, paused, total } = useStore(socket.state);
  const [filter, setFilter] = useState("");
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const shown = useMemo(() => filterFrames(frames, filter), [frames, filter]);
  const box = useRef<HTMLDivElement>(null);
  const sticky = useRef(true);
  const list = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => 33,
    getItemKey: (index) => shown[index]?.key ?? index,
    overscan: 12,
  });
  const height = list.getTotalSize();
  useLayoutEffect(() => {
    if (sticky.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [height]);
  const toggle = (key: number): void => {
    sticky.current = false;
    setOpen((now) => {
      const next = new Set(now);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  };
  return (
    <section aria-label="Frames" className="flex min-h-0 min-w-0 grow flex-col">
      <div className="flex items-center gap-2 border-b border-edge px-4 py-2">
        <input
          className="field min-w-0 grow text-s wide:max-w-[280px]"
          type="search"
          placeholder="Filter frames"
          aria-label="Filter frames"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <span className="num grow truncate text-s text-dim" title={`The last ${count(MAX_FRAMES)} are kept`}>
          {filter === "" ? count(total) : `${count(shown.length)} of ${count(frames.length)}`}
        </span>
        <button
          type="button"
          className={`button small ${paused ? "on" : ""}`}
          aria-pressed={paused}
          onClick={() => socket.pause(!paused)}
        >
          Pause
        </button>
        <button type="button" className="button small" onClick={() => socket.clear()}>
          Clear
        </button>
      </div>
      <div
        ref={box}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Frames"
        data-keeps-arrows
        className="min-h-0 grow overflow-y-auto"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          sticky.current = scrollHeight - scrollTop - clientHeight < END_PX;
        }}
      >
        {shown.length === 0 ? (
          <p className="p-4 text-dim">
            {frames.length === 0 ? "Connect to see every frame, both ways." : "No frame contains this."}
          </p>
        ) : null}
        <div className="relative" style={{ height }}>
          {list.getVirtualItems().map((item) => {
            const frame = shown[item.index];
            if (frame === undefined) return null;
            return (
              <div
                key={item.key}
                ref={list.measureElement}
                data-index={item.index}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <FrameRow frame={frame} open={open.has(frame.key)} onToggle={toggle} />
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}
