/** The server's list of connections, asked each second while the page is visible. */

import type { ConnectionList } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import { useEffect, useState } from "react";

export interface Polled {
  readonly list: ConnectionList | null; // null = not answered yet
  readonly error: Error | null; // of the last attempt
}

const EVERY_MS = 1000;

export function useConnections(): Polled {
  const live = useLive();
  const [polled, setPolled] = useState<Polled>({ list: null, error: null });
  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      clearTimeout(timer);
      try {
        const list = await live.request("connection.list", {}, { signal: ended.signal });
        setPolled({ list, error: null });
      } catch (error) {
        if (ended.signal.aborted) return;
        setPolled((before) => ({ ...before, error: error instanceof Error ? error : new Error(String(error)) }));
      }
      if (document.visibilityState === "visible") timer = setTimeout(() => void ask(), EVERY_MS);
    };
    const onVisible = (): void => {
      if (document.visibilityState === "visible") void ask();
      else clearTimeout(timer);
    };
    void ask();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      ended.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [live]);
  return polled;
}
