/** Lists of rows that live in the state of a channel. */

import { useMemo } from "react";
import { useChannelState } from "./useChannelState.js";

const NONE: readonly never[] = [];

export interface Rows<Row> {
  readonly rows: readonly Row[];
  /** False until the table has arrived. */
  readonly known: boolean;
}

/* eslint @typescript-eslint/no-unnecessary-type-parameters: ["off"] -- the caller says what the table is */

/** What `pick` takes out of the table; renders only when one of those rows changes. A filter may be a new object in each render. */
export function useRows<Table, Filter, Row>(
  channel: string,
  pick: (table: Table, filter: Filter) => readonly Row[],
  filter: Filter,
): Rows<Row> {
  const key = JSON.stringify(filter);
  const selector = useMemo(() => {
    const wanted = JSON.parse(key) as Filter;
    return steady((table: Table) => pick(table, wanted));
  }, [key, pick]);
  const rows = useChannelState(channel, selector);
  return { rows: rows ?? NONE, known: rows !== undefined };
}

/** Gives the array of the last time where it holds the same rows. */
function steady<Table, Row>(pick: (table: Table) => readonly Row[]): (table: Table) => readonly Row[] {
  let last: readonly Row[] = NONE;
  return (table) => {
    const rows = pick(table);
    if (rows.length !== last.length || rows.some((row, index) => row !== last[index])) last = rows;
    return last;
  };
}
