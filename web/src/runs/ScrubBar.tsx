import { type ReactNode, useId } from "react";

import { count } from "../lib/format";

interface ScrubProps {
  readonly at: number; // the event that is shown
  readonly head: number; // the newest
  readonly past: boolean;
  readonly ended: boolean;
  readonly onGo: (at: number | null) => void;
  readonly drawer: boolean;
  readonly onDrawer: (open: boolean) => void;
}

/** Back through the history of the run, event by event. At its right end one is live. */
export function ScrubBar({ at, head, past, ended, onGo, drawer, onDrawer }: ScrubProps): ReactNode {
  const id = useId();
  const part = head <= 1 ? 1 : (at - 1) / (head - 1);
  return (
    <div className="num flex flex-none items-center gap-3 border-t border-edge bg-bg px-4 py-2 text-s text-dim wide:px-6">
      <label htmlFor={id} className="flex-none">
        event {count(at)}
      </label>
      <input
        id={id}
        type="range"
        className="scrub min-w-0 grow"
        style={{ "--part": part } as React.CSSProperties}
        min={1}
        max={Math.max(1, head)}
        step={1}
        value={Math.max(1, at)}
        aria-valuetext={past ? `event ${at} of ${head}` : "now"}
        onChange={(event) => {
          const wanted = Number(event.target.value);
          onGo(wanted >= head ? null : wanted);
        }}
      />
      {past ? (
        <button type="button" className="button small flex-none" onClick={() => onGo(null)}>
          {ended ? "Back to the end" : "Back to live"}
        </button>
      ) : (
        <span className="flex-none">{ended ? "end" : "live"}</span>
      )}
      <button
        type="button"
        className={`button small flex-none ${drawer ? "on" : ""}`}
        aria-pressed={drawer}
        onClick={() => onDrawer(!drawer)}
      >
        Events
      </button>
    </div>
  );
}
