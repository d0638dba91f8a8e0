import { useConnection, useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { useNow } from "../lib/clock";
import { Dot } from "../ui/Tone";
import { connectionWords } from "./connectionWords";

/** What the connection is doing, as it is. */
export function ConnectionIndicator(): ReactNode {
  const live = useLive();
  const state = useConnection();
  useNow(); // draws it anew each second
  const { tone, busy, text, detail, retry } = connectionWords(state, Date.now()); // true between the ticks, too
  return (
    <div className="flex min-w-0 items-center gap-2 text-s text-dim" title={detail ?? undefined}>
      <span role="status" className="sr-only">
        {announced(state.phase)}
      </span>
      <Dot tone={tone} busy={busy} />
      <span aria-hidden="true" className="num truncate">
        {text}
      </span>
      {retry ? (
        <button type="button" className="button small" onClick={() => live.reconnect()}>
          Retry now
        </button>
      ) : null}
    </div>
  );
}

/** Read out on a change of phase only, not each second. */
function announced(phase: string): string {
  return `Connection: ${phase.replace("_", " ")}`;
}
