/** React's view of a `Readable`: components re-render only when the slice they select changes. */

import type { Readable } from "@antiphon/client";
import { useCallback, useRef, useSyncExternalStore } from "react";

/** The selected slice; kept while `equal` says it is the same. Define selectors outside components. */
export function useReadable<T, S>(
  readable: Readable<T>,
  select: (value: T) => S,
  equal: (a: S, b: S) => boolean = Object.is,
): S {
  const last = useRef<{ readonly slice: S } | null>(null);
  const snapshot = useCallback(() => {
    const slice = select(readable.get());
    if (last.current === null || !equal(last.current.slice, slice)) last.current = { slice };
    return last.current.slice;
  }, [readable, select, equal]);
  const subscribe = useCallback((listener: () => void) => readable.subscribe(listener), [readable]);
  return useSyncExternalStore(subscribe, snapshot);
}

/** Same members in the same order. */
export function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => Object.is(item, b[i])));
}
