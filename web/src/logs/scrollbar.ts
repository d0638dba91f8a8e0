/** Arithmetic of a scroll bar that stands for a whole log. Parts are between 0 and 1. */

export interface Span {
  readonly oldest: number;
  readonly head: number;
  readonly visible: number; // lines in sight
}

/** The thumb never gets thinner than this part of the track. */
const THINNEST = 0.04;

export interface Thumb {
  readonly start: number;
  readonly size: number;
}

/** Null where everything is in sight. */
export function thumb({ oldest, head, visible }: Span, top: number): Thumb | null {
  const total = head - oldest + 1;
  if (total <= visible) return null;
  const size = Math.max(THINNEST, visible / total);
  const scrolled = Math.min(1, Math.max(0, (top - oldest) / (total - visible)));
  return { start: scrolled * (1 - size), size };
}

/** The top line for a thumb that starts here; the head itself at the very end. */
export function offsetAt({ oldest, head, visible }: Span, start: number): number {
  const total = head - oldest + 1;
  const size = Math.max(THINNEST, visible / total);
  const scrolled = Math.min(1, Math.max(0, start / (1 - size)));
  if (scrolled === 1) return head;
  return Math.round(oldest + scrolled * Math.max(0, total - visible));
}
