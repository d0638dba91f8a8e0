/** The last events of a channel. */

import { useMemo, useSyncExternalStore } from "react";
import type { After } from "../src/index.js";
import type { ChannelView } from "./channelView.js";
import { ChannelViewStore } from "./channelView.js";
import { useLive } from "./provider.js";

export type { ChannelView };

export interface UseChannelOptions {
  /** Where to begin; default `"now"`. Another value begins anew. */
  readonly after?: After;
  /** Events kept, the newest; default 1000. */
  readonly limit?: number;
}

/** The newest events of `channel`; renders at most once per animation frame. */
export function useChannel(channel: string, options: UseChannelOptions = {}): ChannelView {
  const live = useLive();
  const { after = "now", limit = 1000 } = options;
  // a cursor may be a new object in each render: only what it says counts
  const epoch = typeof after === "string" ? null : after.epoch;
  const from = typeof after === "string" ? after : after.offset;
  const store = useMemo(() => {
    const begin = epoch === null ? (from as "start" | "now") : { epoch, offset: from as number };
    return new ChannelViewStore(live, channel, begin, limit);
  }, [live, channel, epoch, from, limit]);
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}
