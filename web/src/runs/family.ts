/** A run's children, and theirs. */

import { isEnded, type RunRow, type RunTable } from "@antiphon/client";

/** Direct children, oldest first. */
export function childrenOf(table: RunTable, id: string): readonly RunRow[] {
  return Object.values(table)
    .filter((row) => row.parent_run_id === id)
    .sort((a, b) =>
      a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.run_id < b.run_id ? -1 : 1,
    );
}

/** The run itself, then all below it. */
export function treeOf(table: RunTable, id: string): readonly RunRow[] {
  const own = table[id];
  const found = own === undefined ? [] : [own];
  const known = new Set([id]);
  const rows = Object.values(table);
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const row of rows)
      if (row.parent_run_id !== null && known.has(row.parent_run_id) && !known.has(row.run_id)) {
        known.add(row.run_id);
        found.push(row);
      }
  }
  return found;
}

export interface ReceiptLists {
  readonly stopped: readonly RunRow[];
  readonly draining: readonly RunRow[];
}

/** What a cancel has reached: also told after a reload, as it is read from the table. */
export function receiptOf(tree: readonly RunRow[]): ReceiptLists {
  return {
    stopped: tree.filter((row) => row.status === "cancelled"),
    draining: tree.filter((row) => row.status === "cancelling"),
  };
}

/** Those that go on although their parent is over. */
export function stillGoing(tree: readonly RunRow[]): readonly RunRow[] {
  return tree.filter((row) => !isEnded(row.status));
}
