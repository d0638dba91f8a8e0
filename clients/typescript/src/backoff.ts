/** How long to wait before the next attempt. */

export interface Jitter {
  readonly baseMs: number;
  readonly capMs: number;
}

/** Full jitter: after `failures` failures a random time between 0 and `min(capMs, baseMs * 2 ** failures)`. */
export function waitMs(failures: number, { baseMs, capMs }: Jitter, random: () => number): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(failures, 30));
}
