/** The names that can be started from here. */

import { useConnection, useLive } from "@antiphon/client/react";
import { useEffect, useState } from "react";

const NONE: readonly string[] = [];

/** Asked on each connection: after a restart the server may know others. */
export function useRunnables(): readonly string[] {
  const live = useLive();
  const { phase } = useConnection();
  const connected = phase === "live" || phase === "catching_up";
  const [names, setNames] = useState(NONE);
  useEffect(() => {
    if (!connected) return;
    const asked = new AbortController();
    live.runs.list({ limit: 1 }, { signal: asked.signal }).then(
      (page) => setNames(page.names),
      () => undefined, // without an answer nothing is offered
    );
    return () => asked.abort();
  }, [live, connected]);
  return names;
}
