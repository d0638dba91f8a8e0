/** What the forum page says, and which entries it shows. Plain code. */

import type { ForumEntry, ForumState, HostEntry, SessionEntry, SpeechEntry } from "@antiphon/client";

import { plural } from "../lib/format";
import type { Tone } from "../ui/Tone";

/** Sessions explain the speeches around them: they are never filtered. What goes wrong with the host belongs to it. */
export function passes(entry: ForumEntry, speakers: readonly string[]): boolean {
  if (speakers.length === 0 || entry.kind === "session") return true;
  return speakers.includes(entry.kind === "host" ? "HOST" : entry.source);
}

/** Those that are shown. The same array where nothing is filtered. */
export function shownOf(entries: readonly ForumEntry[], speakers: readonly string[]): readonly ForumEntry[] {
  return speakers.length === 0 ? entries : entries.filter((entry) => passes(entry, speakers));
}

/** How many speeches came after this offset. */
export function speechesAfter(entries: readonly ForumEntry[], offset: number): number {
  let many = 0;
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i];
    if (entry === undefined || entry.offset <= offset) break;
    if (entry.kind === "speech") many++;
  }
  return many;
}

/** Index of the entry that holds this offset, or of the next one after it; the last if there is none. */
export function indexAt(entries: readonly ForumEntry[], offset: number): number {
  const index = entries.findIndex((entry) => entry.offset >= offset || (entry.offset < offset && entry.upto >= offset));
  return index < 0 ? entries.length - 1 : index;
}

/** One speaker in or out; all of them is none. */
export function toggled(speakers: readonly string[], source: string, all: readonly string[]): readonly string[] {
  const next = speakers.includes(source) ? speakers.filter((one) => one !== source) : [...speakers, source];
  return next.length >= all.length && all.every((one) => next.includes(one)) ? [] : next;
}

export function hostWords({ host }: ForumState): {
  readonly tone: Tone;
  readonly busy: boolean;
  readonly text: string;
} {
  if (host.status === "speaking") return { tone: "run", busy: true, text: "The host speaks" };
  if (host.status === "failed") return { tone: "bad", busy: false, text: "The host failed" };
  return { tone: "stop", busy: false, text: "The host listens" };
}

/** How long until the host speaks. */
export function bufferWords({ buffered, threshold }: Pick<ForumState, "buffered" | "threshold">): string {
  return `${buffered} of ${plural(threshold, "speech", "speeches")} until the host speaks`;
}

const ENDS: Readonly<Record<string, string>> = {
  restarted: "a watched program began anew",
  idle: "nobody spoke for a long time",
  stopped: "the forum was turned off",
};

export function sessionWords({ session, status, reason }: SessionEntry): string {
  if (status === "started") return `Session ${session} begins`;
  return `Session ${session} ended${reason === null ? "" : `: ${ENDS[reason] ?? reason}`}`;
}

export function hostNoteWords({ status, reason, letGo }: HostEntry): string {
  const why = reason === null || reason === "" ? "" : `: ${reason}`;
  if (status === "stopped") return "The host was stopped before it said anything";
  if (status === "let_go")
    return `The host could not speak${why}. ${plural(letGo, "speech is", "speeches are")} not put to it any more`;
  return `The host could not speak${why}. It tries again after further speeches`;
}

const CUTS: Readonly<Record<string, string>> = { cancelled: "Stopped in mid-sentence", failed: "Cut off: it failed" };

/** What stands below words that were not said to their end; null = they were. */
export function cutWords({ status, text }: Pick<SpeechEntry, "status" | "text">, growing: boolean): string | null {
  if (growing || status === "completed") return null;
  if (status === "cancelled" && text === "") return "Stopped before it said anything";
  return CUTS[status] ?? "Its end is not known";
}

/** Whether these words still grow, as far as one knows. */
export function isGrowing(entry: Pick<SpeechEntry, "status" | "id">, forum: ForumState | undefined): boolean {
  return entry.status === "open" && (forum === undefined || forum.host.speech_id === entry.id);
}

/** Whom one sees; the state knows everybody's name, the speech only its own. */
export function nameOf(entry: SpeechEntry, forum: ForumState | undefined): string {
  if (entry.sender !== "") return entry.sender;
  return forum?.speakers[entry.source]?.sender ?? "Forum Host";
}

/** The log of a speech's origin; null = it is none. */
export function logName(channel: string): string | null {
  return channel.startsWith("log:") ? channel.slice("log:".length) : null;
}
