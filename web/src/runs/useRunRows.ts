/** The table of runs as a list, newest first. */

import type { RunRow, RunTable } from "@antiphon/client";
import { useChannelState } from "@antiphon/client/react";
import { useCallback } from "react";

const newestFirst = (table: RunTable): readonly RunRow[] => Object.values(table).sort(byAge);

function byAge(a: RunRow, b: RunRow): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.run_id < b.run_id ? 1 : -1;
}

/** Undefined until known. */
export function useRunRows(): readonly RunRow[] | undefined {
  return useChannelState("runs", newestFirst);
}

/** The row of one run; undefined where it is not known, or not in the table any more. */
export function useRunRow(id: string): RunRow | undefined {
  return useChannelState(
    "runs",
    useCallback((table: RunTable) => table[id], [id]),
  );
}
