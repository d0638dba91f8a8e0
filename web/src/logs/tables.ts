/** The process table, the followed files and the other log channels, as the slices that components need. */

import type {
  AntiphonError,
  ChannelRow,
  ChannelState,
  FollowedFiles,
  ProcessRow,
  ProcessTable,
} from "@antiphon/client";
import { useConnection, useLive } from "@antiphon/client/react";
import { useCallback, useEffect, useMemo, useState } from "react";

import { sameList, useReadable } from "../lib/readable";
import { type LogItem, listItems, openingItem } from "./items";
import { isAlive } from "./status";

type Maybe<T> = ChannelState<T> | undefined;
const NONE: readonly string[] = [];
const names = (state: Maybe<Readonly<Record<string, unknown>>>): readonly string[] =>
  state === undefined ? NONE : Object.keys(state.value);
const known = (state: Maybe<unknown>): boolean => state !== undefined;
const refusal = (problem: AntiphonError | undefined): string | null =>
  problem?.code === "forbidden" ? problem.message : null;

export function useProcess(name: string): ProcessRow | undefined {
  const table = useLive().channelState<ProcessTable>("processes");
  return useReadable(
    table,
    useCallback((state: Maybe<ProcessTable>) => state?.value[name], [name]),
  );
}

export function useFile(name: string): FollowedFiles[string] | undefined {
  const files = useLive().channelState<FollowedFiles>("logs");
  return useReadable(
    files,
    useCallback((state: Maybe<FollowedFiles>) => state?.value[name], [name]),
  );
}

export interface LogItems {
  readonly items: readonly LogItem[];
  readonly loaded: boolean;
  /** What to show while nobody has chosen; null = not known yet, or there is nothing. */
  readonly opening: string | null;
}

const NO_CHANNELS: readonly ChannelRow[] = [];
const running = (state: Maybe<ProcessTable>): readonly string[] =>
  state === undefined ? NONE : Object.entries(state.value).flatMap(([name, row]) => (isAlive(row) ? [name] : []));

/** Why tables are missing, in words: the user may not read them. Null = nothing was refused. */
export function useRefusal(): string | null {
  return useReadable(useLive().problem, refusal);
}

/** Whether it is known which processes and files there are, as far as one may know. */
export function useTablesLoaded(): boolean {
  const live = useLive();
  const processes = useReadable(live.channelState<ProcessTable>("processes"), known);
  const files = useReadable(live.channelState<FollowedFiles>("logs"), known);
  const refused = useRefusal() !== null;
  return (processes && files) || refused;
}

export function useLogItems(): LogItems {
  const live = useLive();
  const table = live.channelState<ProcessTable>("processes");
  const processes = useReadable(table, names, sameList);
  const loaded = useTablesLoaded();
  const files = useReadable(live.channelState<FollowedFiles>("logs"), names, sameList);
  const channels = useLogChannels(processes.length + files.length);
  const items = useMemo(() => listItems(processes, files, channels ?? NO_CHANNELS), [processes, files, channels]);
  const alive = useReadable(table, running, sameList);
  const opening = loaded ? (openingItem(items, (name) => alive.includes(name), channels)?.name ?? null) : null;
  return { items, loaded, opening };
}

const REFRESH_MS = 15_000;

/** All `log:` channels (null = not answered yet); asked again when processes come or go, and now and then while visible. */
function useLogChannels(reason: number): readonly ChannelRow[] | null {
  const live = useLive();
  const connected = useConnection().phase !== "connecting";
  const [channels, setChannels] = useState<readonly ChannelRow[] | null>(null);
  useEffect(() => {
    const asked = new AbortController();
    const ask = (): void => {
      if (document.visibilityState === "hidden") return;
      live.request("channel.list", { prefix: "log:" }, { signal: asked.signal }).then(
        (answer) => setChannels(answer.channels),
        () => setChannels((before) => before ?? NO_CHANNELS), // the indicator tells why; the next turn asks again
      );
    };
    ask();
    const timer = setInterval(ask, REFRESH_MS);
    return () => {
      asked.abort();
      clearInterval(timer);
    };
  }, [live, connected, reason]);
  return channels;
}
