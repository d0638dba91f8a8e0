/** The conversations of this server. */

import { filterThreads } from "../src/index.js";
import type { ThreadFilter, ThreadRow } from "../src/index.js";
import { useRows } from "./tables.js";

export interface UsedThreads {
  /** The one that was used last first. */
  readonly threads: readonly ThreadRow[];
  /** False until the table has arrived. */
  readonly known: boolean;
}

/** The threads that pass the filter; renders only when one of them changes. */
export function useThreads(filter: ThreadFilter = {}): UsedThreads {
  const { rows, known } = useRows("threads", filterThreads, filter);
  return { threads: rows, known };
}
