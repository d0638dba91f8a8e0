import type { ChannelState, RunRow, RunTable } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import { useCallback } from "react";

import { sameList, useReadable } from "../lib/readable";
import { childrenOf, treeOf } from "./family";

type Table = ChannelState<RunTable> | undefined;
const NONE: readonly RunRow[] = [];

export function useChildren(id: string): readonly RunRow[] {
  const table = useLive().channelState<RunTable>("runs");
  const select = useCallback((state: Table) => (state === undefined ? NONE : childrenOf(state.value, id)), [id]);
  return useReadable(table, select, sameList);
}

export function useTree(id: string): readonly RunRow[] {
  const table = useLive().channelState<RunTable>("runs");
  const select = useCallback((state: Table) => (state === undefined ? NONE : treeOf(state.value, id)), [id]);
  return useReadable(table, select, sameList);
}
