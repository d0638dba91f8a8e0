import { memo, type ReactNode } from "react";

import { bytes, clockTime, duration } from "../lib/format";
import { type Frame, pretty } from "./frames";

interface RowProps {
  readonly frame: Frame;
  readonly open: boolean;
  readonly onToggle: (key: number) => void;
}

const SHOWN = 400;

export const FrameRow = memo(function FrameRow({ frame, open, onToggle }: RowProps): ReactNode {
  if (frame.direction === "note") {
    return (
      <div className="num flex items-baseline gap-3 border-b border-edge px-4 py-[6px] text-s text-dim">
        <Time frame={frame} />
        <span className="min-w-0 break-words">{frame.text}</span>
      </div>
    );
  }
  const sent = frame.direction === "sent";
  return (
    <div className="border-b border-edge">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => onToggle(frame.key)}
        className="num flex w-full items-baseline gap-3 px-4 py-[6px] text-left text-s hover:bg-sunk"
      >
        <Time frame={frame} />
        <span className={`flex-none ${sent ? "text-accent" : "text-dim"}`} aria-label={sent ? "sent" : "received"}>
          {sent ? "↑" : "↓"}
        </span>
        <span className={`flex-none font-mono ${frame.summary.startsWith("error") ? "text-bad" : ""}`}>
          {frame.summary}
        </span>
        <code className="min-w-0 grow truncate text-dim">{open ? "" : frame.text.slice(0, SHOWN)}</code>
        {frame.latencyMs === null ? null : <span className="flex-none">{latency(frame.latencyMs)}</span>}
        <span className="w-[56px] flex-none text-right text-dim">{bytes(frame.bytes)}</span>
      </button>
      {open ? (
        <pre className="overflow-x-auto px-4 pb-3 font-mono text-s break-words whitespace-pre-wrap">
          {pretty(frame.text)}
        </pre>
      ) : null}
    </div>
  );
});

function Time({ frame }: { readonly frame: Frame }): ReactNode {
  return <time className="flex-none font-mono text-xs text-faint">{clockTime(frame.timeMs, true)}</time>;
}

/** Tenths below ten milliseconds: replies on one machine are that fast. */
function latency(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : duration(ms);
}
