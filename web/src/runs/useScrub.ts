/** Where in its history one looks at a run; in the address, so that a moment can be sent to somebody. */

import { useCallback, useEffect, useState } from "react";

import { navigate, useRoute } from "../app/navigation";

export interface Scrub {
  readonly at: number | null; // an offset; null = live
  readonly go: (at: number | null) => void;
}

/** Browsers allow few changes of the address per second. */
const SETTLED_MS = 250;

export function useScrub(id: string): Scrub {
  const written = useRoute((route) => (route.page === "run" ? route.at : null));
  const [at, setAt] = useState(written);
  useEffect(() => setAt(written), [written]);
  useEffect(() => {
    if (at === written) return;
    const timer = setTimeout(() => navigate({ page: "run", id, at }, { replace: true }), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [id, at, written]);
  return { at, go: useCallback((next: number | null) => setAt(next), []) };
}
