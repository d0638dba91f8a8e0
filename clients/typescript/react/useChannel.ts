/** The last events of a channel. */

import type { After, AntiphonError, Gap, LiveEvent } from "../src/index.js";

export interface UseChannelOptions {
  /** Default `"now"`. Read at the first use of a channel; a later change begins anew. */
  readonly after?: After;
  /** Events kept, the newest; default 1000. */
  readonly limit?: number;
}

export interface ChannelView {
  /** Ascending, at most `limit`; a new array whenever it changes. */
  readonly events: readonly LiveEvent[];
  /** Events dropped from the front because of `limit`. */
  readonly dropped: number;
  readonly caughtUp: boolean;
  /** The last gap; null = none. */
  readonly gap: Gap | null;
  /** What ended the subscription; null = it is open. */
  readonly error: AntiphonError | null;
}

/** The newest events of `channel`; renders at most once per animation frame. */
export function useChannel(channel: string, options: UseChannelOptions = {}): ChannelView {
  void channel;
  void options;
  throw new Error("not here yet");
}
