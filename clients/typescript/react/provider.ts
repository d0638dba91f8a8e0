/** One `Live` for a tree of components. */

import { createContext, createElement, useContext, useSyncExternalStore } from "react";
import type { ReactElement, ReactNode } from "react";
import type { ConnectionState, Live } from "../src/index.js";

const LiveContext = createContext<Live | null>(null);

export interface LiveProviderProps {
  /** Made with `connect()` outside the tree; whoever made it closes it. */
  readonly live: Live;
  readonly children?: ReactNode;
}

export function LiveProvider({ live, children }: LiveProviderProps): ReactElement {
  return createElement(LiveContext.Provider, { value: live }, children);
}

/** The nearest provider's client. Throws where there is none. */
export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error("useLive needs a <LiveProvider live={...}> above it");
  return live;
}

/** What the connection is doing. */
export function useConnection(): ConnectionState {
  const { connection } = useLive();
  return useSyncExternalStore(connection.subscribe, connection.get, connection.get);
}
