/** Which lines a person has chosen: one, or a range. */

export interface Chosen {
  readonly anchor: number; // the first one clicked
  readonly from: number;
  readonly to: number;
}

/** A click on the only chosen line takes it back; with `extend` the range reaches from the first click to here. */
export function extendChoice(now: Chosen | null, offset: number, extend: boolean): Chosen | null {
  if (extend && now !== null)
    return { anchor: now.anchor, from: Math.min(now.anchor, offset), to: Math.max(now.anchor, offset) };
  if (now?.from === offset && now.to === offset) return null;
  return { anchor: offset, from: offset, to: offset };
}

export function isChosen(chosen: Chosen | null, offset: number): boolean {
  return chosen !== null && offset >= chosen.from && offset <= chosen.to;
}
