import type { RunRow } from "@antiphon/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";

import { useCommand } from "../app/keys";
import { useWide } from "../ui/media";
import { RunLine } from "./RunLine";

const WIDE_PX = 40;
const NARROW_PX = 64;
const HEAD_PX = 30;

/** Only what is in sight is drawn, so that a thousand rows cost as much as twenty. */
export function RunList({ rows }: { readonly rows: readonly RunRow[] }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const wide = useWide();
  const size = wide ? WIDE_PX : NARROW_PX;
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => size,
    getItemKey: (index) => rows[index]?.run_id ?? index,
    overscan: 8,
    scrollMargin: wide ? HEAD_PX : 0,
    scrollPaddingStart: wide ? HEAD_PX : 0,
  });
  useEffect(() => list.measure(), [list, size]);
  const move = (by: 1 | -1): void => {
    const focused = document.activeElement?.closest("[data-run]")?.getAttribute("data-run");
    const at = rows.findIndex((row) => row.run_id === focused);
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
    list.scrollToIndex(next);
    const id = rows[next]?.run_id ?? "";
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-run="${CSS.escape(id)}"]`)?.focus());
  };
  useCommand("next-item", () => move(1));
  useCommand("previous-item", () => move(-1));
  return (
    <div ref={box} className="min-h-0 grow overflow-y-auto pb-4">
      <div
        className="run-line sticky top-0 z-10 hidden h-[30px]! bg-bg text-xs text-faint wide:grid"
        aria-hidden="true"
      >
        <span>Status</span>
        <span>Run</span>
        <span>Who</span>
        <span className="text-right">Tokens · cost</span>
        <span className="text-right">Took</span>
        <span className="text-right">Started</span>
      </div>
      <ul aria-label="Runs" className="facts relative" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            <li
              key={item.key}
              aria-setsize={rows.length}
              aria-posinset={item.index + 1}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${item.start - list.options.scrollMargin}px)`, height: item.size }}
            >
              <RunLine row={row} wide={wide} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
