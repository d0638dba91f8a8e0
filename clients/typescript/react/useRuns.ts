/** The runs of this server. */

import { filterRuns } from "../src/index.js";
import type { RunFilter, RunRow } from "../src/index.js";
import { useRows } from "./tables.js";

export interface UsedRuns {
  /** Newest first. */
  readonly runs: readonly RunRow[];
  /** False until the table has arrived. */
  readonly known: boolean;
}

/** The runs that pass the filter; renders only when one of them changes. */
export function useRuns(filter: RunFilter = {}): UsedRuns {
  const { rows, known } = useRows("runs", filterRuns, filter);
  return { runs: rows, known };
}
