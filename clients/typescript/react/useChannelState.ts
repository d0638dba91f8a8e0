/** A slice of a channel's state. */

import { useMemo, useSyncExternalStore } from "react";
import type { ChannelState, Readable } from "../src/index.js";
import { oncePerFrame } from "../src/frame.js";
import { useLive } from "./provider.js";

/* eslint @typescript-eslint/no-unnecessary-type-parameters: ["off"] -- the caller says what the value is */

/** The state of `channel`; undefined until known. Renders at most once per animation frame. */

export function useChannelState<T = unknown>(channel: string): ChannelState<T> | undefined;
/** What `selector` (best defined outside the component) takes from the value; renders only when that changes. */
export function useChannelState<T, S>(channel: string, selector: (value: T) => S): S | undefined;
export function useChannelState(channel: string, selector?: (value: unknown) => unknown): unknown {
  const live = useLive();
  const framed = useMemo(() => perFrame(live.channelState(channel)), [live, channel]);
  const selected = useMemo(() => select(framed.get, selector), [framed, selector]);
  return useSyncExternalStore(framed.subscribe, selected, selected);
}

/** The same value, but listeners are called at most once per frame. */
function perFrame<T>(source: Readable<T>): Readable<T> {
  let shown = source.get();
  const listeners = new Set<() => void>();
  const showSoon = oncePerFrame(() => {
    shown = source.get();
    for (const listener of [...listeners]) listener();
  });
  return {
    get: () => shown,
    subscribe: (listener) => {
      listeners.add(listener);
      const leave = source.subscribe(showSoon);
      if (shown !== source.get()) showSoon(); // it changed between the render and now
      return () => {
        leave();
        listeners.delete(listener);
      };
    },
  };
}

/** Remembers the last selection, so that a selector that builds a new object does not look like a change. */
function select(get: () => ChannelState | undefined, selector: ((value: unknown) => unknown) | undefined): () => unknown {
  if (selector === undefined) return get;
  let from: ChannelState | undefined;
  let selection: unknown;
  return () => {
    const state = get();
    if (state !== from) {
      from = state;
      selection = state === undefined ? undefined : selector(state.value);
    }
    return selection;
  };
}
