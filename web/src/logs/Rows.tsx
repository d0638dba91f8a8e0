import type { Virtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import { usePreferences } from "../app/preferences";
import { type Chosen, isChosen } from "./choosing";
import type { Entry } from "./entry";
import { LogRow } from "./LogRow";
import { usePane, useReader, useSearch } from "./pane";
import { useProcess } from "./tables";
import { lifeStart, livesIn, marginWidth, timeLabel } from "./times";

interface RowsProps {
  readonly rows: Virtualizer<HTMLDivElement, HTMLDivElement>;
  readonly wrap: boolean;
  readonly chosen: Chosen | null;
  readonly onChoose: (offset: number, extend: boolean) => void;
  readonly withMs: boolean; // room for milliseconds
}

const NO_LIVES: ReturnType<typeof livesIn> = [];

export function Rows({ rows, wrap, chosen, onChoose, withMs }: RowsProps): ReactNode {
  const { name, kind } = usePane();
  const { entries } = useReader((state) => state.window);
  const target = useReader((state) => state.target);
  const needle = useSearch((state) => (state.phase === "idle" ? "" : state.text));
  const ignoreCase = useSearch((state) => state.ignoreCase);
  const preferred = usePreferences((preferences) => preferences.time);
  const mode = preferred === "start" && kind !== "process" ? "clock" : preferred;
  const row = useProcess(name);
  const lives = useMemo(() => (mode === "start" ? livesIn(entries) : NO_LIVES), [mode, entries]);
  const [whole, setWhole] = useState<ReadonlySet<number>>(new Set());
  const showWhole = useCallback((offset: number) => setWhole((now) => new Set([...now, offset])), []);

  const place = (entry: Entry): string => {
    const classes = ["log-row", wrap ? "wrap" : "", entry.kind === "line" && entry.stream === "stderr" ? "stderr" : ""];
    if (isChosen(chosen, entry.offset)) classes.push("chosen");
    if (entry.offset === target) classes.push("target");
    return classes.join(" ");
  };
  return (
    <div
      className="relative"
      style={{ height: rows.getTotalSize(), "--margin": `${marginWidth(mode, withMs)}ch` } as React.CSSProperties}
    >
      {rows.getVirtualItems().map((item) => {
        const entry = entries[item.index];
        if (entry === undefined) return null;
        const start = mode === "start" ? lifeStart(entry, lives, row) : null;
        return (
          <div
            // Without wrapping all rows are equally high: elements are re-used for other lines, which is cheap at any rate.
            key={wrap ? entry.offset : item.index}
            ref={wrap ? rows.measureElement : undefined}
            data-index={item.index}
            data-offset={entry.offset}
            className={place(entry)}
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <LogRow
              entry={entry}
              label={timeLabel(entry, mode, start, withMs)}
              chosen={isChosen(chosen, entry.offset)}
              target={entry.offset === target}
              whole={whole.has(entry.offset)}
              needle={needle}
              ignoreCase={ignoreCase}
              onChoose={onChoose}
              onWhole={showWhole}
            />
          </div>
        );
      })}
    </div>
  );
}
