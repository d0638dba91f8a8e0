/** The agents' conversation, and the way to take part in it. */

import { useMemo, useSyncExternalStore } from "react";
import { sharedForum } from "../src/forum/store.js";
import type { ForumState, ForumStore, Live, ReadForum } from "../src/index.js";
import { useLive } from "./provider.js";
import { useChannelState } from "./useChannelState.js";

export interface ForumActions {
  /** Say something as the person one is. Throws AntiphonError, as all of these do. */
  readonly post: (text: string) => Promise<string>;
  readonly mute: (source: string, muted: boolean) => Promise<void>;
  readonly callHost: () => Promise<void>;
  readonly stopHost: () => Promise<void>;
  readonly setThreshold: (threshold: number) => Promise<void>;
  /** Read the page before what is there. */
  readonly loadOlder: () => Promise<void>;
  /** Read back until this offset is there, or nothing older. */
  readonly loadBackTo: (offset: number) => Promise<void>;
  /** While new ones come, let go of the oldest beyond so many entries; `Infinity` = of none, as at first. */
  readonly keepNewest: (entries: number) => void;
  /** Begin anew after a failure. */
  readonly retry: () => void;
}

export interface UsedForum extends ReadForum, ForumActions {
  /** How it stands; undefined until the server has told, and where nothing was ever said. */
  readonly forum: ForumState | undefined;
}

/** A forum that was never used has an empty state. */
const stateOf = (value: Partial<ForumState>): ForumState | undefined =>
  value.speakers === undefined ? undefined : (value as ForumState);

/** Follows the forum `name`, by default the one of the settings; renders at most once per animation frame. */
export function useForum(name = "main"): UsedForum {
  const live = useLive();
  const store = useMemo(() => sharedForum(live, name), [live, name]);
  const read = useSyncExternalStore(store.subscribe, store.get, store.get);
  const forum = useChannelState(store.channel, stateOf);
  const actions = useMemo(() => actionsOf(live, name, store), [live, name, store]);
  return { forum, ...read, ...actions };
}

function actionsOf(live: Live, name: string, store: ForumStore): ForumActions {
  return {
    post: (text) => live.forum.post(text, { name }),
    mute: (source, muted) => live.forum.mute(source, muted, { name }),
    callHost: () => live.forum.callHost({ name }),
    stopHost: () => live.forum.stopHost({ name }),
    setThreshold: (threshold) => live.forum.setThreshold(threshold, { name }),
    loadOlder: () => store.loadOlder(),
    loadBackTo: (offset) => store.loadBackTo(offset),
    keepNewest: (entries) => { store.keepNewest(entries); },
    retry: () => { store.retry(); },
  };
}
