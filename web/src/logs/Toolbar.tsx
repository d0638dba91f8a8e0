import type { ReactNode } from "react";

import { setTime, setWrap, type TimeMode, usePreferences } from "../app/preferences";
import { Choice } from "../ui/Choice";
import type { StreamFilter } from "./entry";
import { usePane, useReader } from "./pane";
import { SearchBox } from "./SearchBox";

const STREAMS: readonly (readonly [StreamFilter, string])[] = [
  ["all", "All"],
  ["stdout", "stdout"],
  ["stderr", "stderr"],
];
const TIMES: readonly (readonly [TimeMode, string])[] = [
  ["off", "No time"],
  ["clock", "Time"],
  ["start", "Since start"],
];

/** What is shown of the log, and how. */
export function Toolbar(): ReactNode {
  const { kind, reader } = usePane();
  const { time, wrap } = usePreferences();
  const filter = useReader((state) => state.filter);
  const following = useReader((state) => state.following);
  const isProcess = kind === "process";
  return (
    <div
      role="toolbar"
      aria-label="View of the log"
      className="flex flex-wrap items-center gap-2 border-b border-edge px-4 pb-3"
    >
      <SearchBox />
      <div className="no-bar flex w-full min-w-0 items-center gap-2 overflow-x-auto wide:w-auto">
        {isProcess ? (
          <Choice label="Streams" value={filter} options={STREAMS} onChange={(next) => void reader.filterBy(next)} />
        ) : null}
        <Choice
          label="Times"
          value={isProcess || time !== "start" ? time : "clock"}
          options={isProcess ? TIMES : TIMES.slice(0, 2)}
          onChange={setTime}
        />
        <button
          type="button"
          className={`button small leading-[22px] ${wrap ? "on" : "text-dim"}`}
          aria-pressed={wrap}
          onClick={() => setWrap(!wrap)}
        >
          Wrap
        </button>
        <button
          type="button"
          className={`button small leading-[22px] ${following ? "on" : "text-dim"}`}
          aria-pressed={following}
          title="Stay at the end (f)"
          onClick={() => (following ? reader.pause() : reader.follow())}
        >
          Follow
        </button>
      </div>
    </div>
  );
}
