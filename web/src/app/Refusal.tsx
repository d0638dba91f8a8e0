import { useConnection, useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

/** A line below the header while there is something to say about the connection that needs words. */
export function Refusal(): ReactNode {
  const live = useLive();
  const state = useConnection();
  if (state.phase !== "refused") return null;
  return (
    <div role="alert" className="flex flex-wrap items-baseline gap-3 border-b border-edge bg-panel px-4 py-2 text-s">
      <span className="text-bad">The server refused this page.</span>
      <span className="text-dim">{state.error.message}</span>
      <button type="button" className="button small" onClick={() => live.reconnect()}>
        Try again
      </button>
    </div>
  );
}
