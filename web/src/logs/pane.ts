/** What the parts of one log pane share. The objects live as long as the pane; components select from their stores. */

import type { Live } from "@antiphon/client";
import { createContext, useContext } from "react";
import { useStore } from "zustand";

import { channelOf, type ItemKind } from "./items";
import { LogReader, type ReaderState } from "./reader";
import { Searching, type SearchState } from "./searching";
import { liveSource, type LogSource } from "./source";

export interface Pane {
  readonly name: string;
  readonly kind: ItemKind | null; // null = not in the list (yet)
  readonly source: LogSource;
  readonly reader: LogReader;
  readonly searching: Searching;
}

const frame = (task: () => void): void => void requestAnimationFrame(task);

export function makePane(live: Live, name: string, kind: ItemKind | null): Pane {
  const channel = channelOf(name);
  const source = liveSource(live, channel);
  return {
    name,
    kind,
    source,
    reader: new LogReader(source, frame),
    searching: new Searching((params, signal) => live.request("search", params, { signal }), channel),
  };
}

export const PaneContext = createContext<Pane | null>(null);

export function usePane(): Pane {
  const pane = useContext(PaneContext);
  if (pane === null) throw new Error("usePane outside of a log pane");
  return pane;
}

export function useReader<S>(select: (state: ReaderState) => S): S {
  return useStore(usePane().reader.state, select);
}

export function useSearch<S>(select: (state: SearchState) => S): S {
  return useStore(usePane().searching.state, select);
}
