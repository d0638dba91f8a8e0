import type { ReactNode } from "react";

import { count } from "../lib/format";
import { DrawingChoice } from "./DrawingChoice";
import { showSpeakers, useRoom } from "./room";
import { voiceOf } from "./voices";
import { toggled } from "./words";

/** Whose speeches are shown, and how. */
export function FilterBar(): ReactNode {
  const { forum, view } = useRoom();
  const speakers = Object.entries(forum?.speakers ?? {});
  const sources = speakers.map(([source]) => source);
  const gone = view.speakers.filter((source) => !sources.includes(source));
  return (
    <div className="flex min-w-0 items-center gap-2 border-b border-edge px-4 pb-2 wide:px-6">
      <div
        role="group"
        aria-label="Whose speeches"
        className="no-bar flex min-w-0 grow items-center gap-1 overflow-x-auto py-[2px]"
      >
        <button
          type="button"
          className="chip"
          aria-pressed={view.speakers.length === 0}
          onClick={() => showSpeakers(view, [])}
        >
          All
        </button>
        {speakers.map(([source, { sender, kind, speeches }]) => (
          <button
            key={source}
            type="button"
            className={`chip ${voiceOf(source, kind)}`}
            aria-pressed={view.speakers.includes(source)}
            onClick={() => showSpeakers(view, toggled(view.speakers, source, sources))}
          >
            <i className="voice-mark" aria-hidden="true" />
            {kind === "person" ? "People" : sender}
            <span className="num text-faint">{count(speeches)}</span>
          </button>
        ))}
        {gone.map((source) => (
          <button
            key={source}
            type="button"
            className="chip"
            aria-pressed
            onClick={() => showSpeakers(view, toggled(view.speakers, source, sources))}
          >
            {source}
          </button>
        ))}
      </div>
      <div className="hidden broad:block">
        <DrawingChoice />
      </div>
    </div>
  );
}
