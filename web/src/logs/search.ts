/** Searches a whole log on the server: slice after slice, newest first, with a count that runs. */

import type { LiveEvent, SearchParams, SearchSlice } from "@antiphon/client";

/** Hits that are listed; further ones are only counted. */
export const MAX_HITS = 1000;
const SLICE_HITS = 200;

export interface Query {
  readonly channel: string;
  readonly text: string;
  readonly ignoreCase: boolean;
}

export interface Progress {
  readonly hits: readonly LiveEvent[]; // newest first
  readonly count: number;
  readonly scannedTo: number | null; // null = no slice has answered yet
  readonly complete: boolean;
}

export const NOTHING_YET: Progress = { hits: [], count: 0, scannedTo: null, complete: false };

export type SearchRequest = (params: SearchParams, signal: AbortSignal) => Promise<SearchSlice>;

/** Yields after every slice until the whole log is scanned. Throws what `request` throws; ends quietly when aborted. */
export async function* searchLog(
  request: SearchRequest,
  query: Query,
  signal: AbortSignal,
): AsyncGenerator<Progress, void> {
  let progress = NOTHING_YET;
  while (!progress.complete) {
    const slice = await request(parameters(query, progress), signal);
    if (signal.aborted) return;
    const stuck = !slice.complete && progress.scannedTo !== null && slice.scanned_to >= progress.scannedTo;
    if (stuck) throw new Error(`The search did not get past line ${slice.scanned_to}.`);
    progress = {
      hits: slice.hits.length === 0 ? progress.hits : [...progress.hits, ...slice.hits],
      count: progress.count + slice.count,
      scannedTo: slice.scanned_to,
      complete: slice.complete,
    };
    yield progress;
  }
}

function parameters(query: Query, progress: Progress): SearchParams {
  return {
    channel: query.channel,
    text: query.text,
    limit: Math.min(SLICE_HITS, MAX_HITS - progress.hits.length),
    ...(query.ignoreCase ? { ignore_case: true } : {}),
    ...(progress.scannedTo === null ? {} : { before: progress.scannedTo }),
  };
}

/** How many of the log's lines have been looked at. */
export function scannedLines(progress: Progress, oldest: number, head: number): number {
  if (progress.complete) return Math.max(0, head - oldest + 1);
  return progress.scannedTo === null ? 0 : Math.max(0, head + 1 - progress.scannedTo);
}
