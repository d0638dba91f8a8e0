/** A slice of a channel's state. */

import type { ChannelState } from "../src/index.js";

/** The state of `channel`; undefined until known. Renders at most once per animation frame. */
export function useChannelState<T = unknown>(channel: string): ChannelState<T> | undefined;
/** What `selector` (best defined outside the component) takes from the value; renders only when that changes. */
export function useChannelState<T, S>(channel: string, selector: (value: T) => S): S | undefined;
export function useChannelState(channel: string, selector?: (value: never) => unknown): unknown {
  void channel;
  void selector;
  throw new Error("not here yet");
}
