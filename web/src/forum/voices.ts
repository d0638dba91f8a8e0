/** Which colour a speaker has: the same one everywhere and for ever, decided by its source alone. */

import type { SpeakerKind } from "@antiphon/client";

const KNOWN: Readonly<Record<string, number>> = { HOST: 0, INSIGHT: 1, MEDIA: 2, QUERY: 3 };
const OTHERS = [4, 5, 6] as const;

/** The class that sets `--voice`. People and the forum itself speak in the text's colours. */
export function voiceOf(source: string, kind: SpeakerKind): string {
  if (kind === "person" || kind === "system") return `voice-${kind}`;
  const known = KNOWN[kind === "host" ? "HOST" : source];
  return `voice-${known ?? OTHERS[hash(source) % OTHERS.length] ?? 4}`;
}

function hash(text: string): number {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return sum;
}
