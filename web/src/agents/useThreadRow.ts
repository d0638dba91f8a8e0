import type { ThreadRow, ThreadTable } from "@antiphon/client";
import { useChannelState } from "@antiphon/client/react";
import { useCallback } from "react";

/** The row of one thread; undefined where it is not known, or not in the table any more. */
export function useThreadRow(id: string): ThreadRow | undefined {
  return useChannelState(
    "threads",
    useCallback((table: ThreadTable) => table[id], [id]),
  );
}
