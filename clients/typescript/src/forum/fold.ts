/**
 * From the events of `forum:NAME` to entries in the order in which they began. Plain code: no connection, no clock.
 *
 * The host's words grow as a message and are a speech in the end: both are one entry, at the place where it began to speak.
 * Parts of the log that were read apart, newest first, are joined; a message may lie in both.
 */

import { isObject } from "../decode.js";
import type { Fields } from "../decode.js";
import { saidNumber, saidText } from "../run/words.js";
import type { LiveEvent } from "../types.js";
import type { ForumEntry, HostEntry, SessionEntry, SpeechEntry } from "./entries.js";
import type { SpeakerKind, SpeechOrigin } from "./rows.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The entries after `events`, which follow upon `entries` without a hole; the same array where they tell nothing. */
export function foldForum(entries: readonly ForumEntry[], events: readonly LiveEvent[]): readonly ForumEntry[] {
  const draft = new Draft(entries);
  for (const event of events) draft.take(event);
  return draft.entries;
}

/** Two neighbouring parts of the log as one. */
export function joinForum(older: readonly ForumEntry[], newer: readonly ForumEntry[]): readonly ForumEntry[] {
  const pieces = new Map(newer.filter(isCut).map((piece) => [piece.id, piece]));
  if (pieces.size === 0) return [...older, ...newer];
  const joined = new Set<ForumEntry>();
  const begun = older.map((entry) => {
    const piece = entry.kind === "speech" && entry.status === "open" ? pieces.get(entry.id) : undefined;
    if (piece === undefined) return entry;
    joined.add(piece);
    return joinSpeech(entry as SpeechEntry, piece);
  });
  return [...begun, ...newer.filter((entry) => !joined.has(entry))];
}

const isCut = (entry: ForumEntry): entry is SpeechEntry => entry.kind === "speech" && entry.cut;

/** A completed speech has its whole text; of others each part has its own words. */
function joinSpeech(older: SpeechEntry, newer: SpeechEntry): SpeechEntry {
  const text = newer.status === "completed" ? newer.text : older.text + newer.text;
  return { ...newer, key: older.key, offset: older.offset, at: older.at, cut: older.cut, text };
}

/** Entries while events are folded in: the array and what changes in it are copied once. */
class Draft {
  #entries: ForumEntry[];
  #own = false;
  readonly #fresh = new Set<ForumEntry>();

  constructor(entries: readonly ForumEntry[]) {
    this.#entries = entries as ForumEntry[];
  }

  get entries(): readonly ForumEntry[] {
    return this.#entries;
  }

  take(event: LiveEvent): void {
    const data = isObject(event.data) ? event.data : {};
    switch (event.type) {
      case "forum.speech":
        this.#speech(event, data);
        return;
      case "message.open":
      case "message.append":
      case "message.close":
        this.#message(event, data);
        return;
      case "forum.session":
        this.#add(sessionOf(event, data));
        return;
      case "forum.host":
        this.#host(event, data);
        return;
      default:
        return; // the state is told by the state; others are words of a newer server
    }
  }

  #speech(event: LiveEvent, data: Fields): void {
    const said = speechOf(event, data);
    const known = said.speaker === "host" ? this.#edit(said.id) : undefined;
    if (known === undefined) this.#add(said);
    else Object.assign(known, { ...said, key: known.key, offset: known.offset, at: known.at, cut: known.cut });
  }

  #message(event: LiveEvent, data: Fields): void {
    const id = saidText(data, "message_id") ?? "";
    const known = this.#edit(id) ?? this.#begin(event, id);
    if (event.offset < known.upto) return;
    known.upto = event.offset;
    if (event.type === "message.append") known.text += saidText(data, "delta") ?? "";
    if (event.type !== "message.close") return;
    const status = data["status"];
    // "completed" is what its speech says, with the text as it is
    if (status === "cancelled" || status === "failed") known.status = status;
  }

  #begin(event: LiveEvent, id: string): Mutable<SpeechEntry> {
    const cut = event.type !== "message.open";
    const nothing = { source: "HOST", sender: "", text: "", session: null, clock: null, origin: null, muted: false, by: null };
    return this.#add({ ...placed(event, `speech ${id}`), kind: "speech", id, speaker: "host", status: "open", cut, ...nothing });
  }

  /** Where its words stand the reason is told with them. */
  #host(event: LiveEvent, data: Fields): void {
    const status = saidText(data, "status") ?? "failed";
    const spoken = saidText(data, "speech_id");
    if (status === "stopped" && spoken !== null && this.#find(spoken) >= 0) return;
    const letGo = Array.isArray(data["let_go"]) ? data["let_go"].length : 0;
    const note: HostEntry = { ...placed(event), kind: "host", status, reason: saidText(data, "reason"), letGo };
    this.#add(note);
  }

  #find(id: string): number {
    return this.#entries.findLastIndex((entry) => entry.kind === "speech" && entry.id === id);
  }

  /** The speech, to be changed in place; undefined = there is none. */
  #edit(id: string): Mutable<SpeechEntry> | undefined {
    const place = this.#find(id);
    const entry = this.#entries[place];
    if (entry?.kind !== "speech") return undefined;
    if (this.#fresh.has(entry)) return entry;
    const copy = { ...entry };
    this.#open()[place] = copy;
    this.#fresh.add(copy);
    return copy;
  }

  #add<T extends ForumEntry>(entry: T): Mutable<T> {
    this.#open().push(entry);
    this.#fresh.add(entry);
    return entry;
  }

  #open(): ForumEntry[] {
    if (!this.#own) {
      this.#entries = this.#entries.slice();
      this.#own = true;
    }
    return this.#entries;
  }
}

function placed({ offset, time }: LiveEvent, key = `event ${String(offset)}`): { key: string; offset: number; upto: number; at: string } {
  return { key, offset, upto: offset, at: time };
}

const KINDS: ReadonlySet<unknown> = new Set<SpeakerKind>(["agent", "host", "system", "person"]);

function speechOf(event: LiveEvent, data: Fields): SpeechEntry {
  const id = saidText(data, "speech_id") ?? String(event.offset);
  const source = saidText(data, "source") ?? "";
  const speaker = KINDS.has(data["kind"]) ? (data["kind"] as SpeakerKind) : "agent";
  return {
    ...placed(event, `speech ${id}`),
    at: saidText(data, "said_at"),
    kind: "speech",
    id,
    source,
    sender: saidText(data, "sender") ?? source,
    speaker,
    text: saidText(data, "text") ?? "",
    status: "completed",
    session: saidText(data, "session"),
    clock: saidText(data, "clock"),
    origin: originOf(data["origin"]),
    muted: data["muted"] === true,
    by: saidText(data, "by") ?? event.by,
    cut: speaker === "host",
  };
}

function originOf(value: unknown): SpeechOrigin | null {
  if (!isObject(value)) return null;
  const channel = saidText(value, "channel");
  const offset = saidNumber(value, "offset");
  if (channel === null || offset === null) return null;
  return { channel, offset, upto: saidNumber(value, "upto") ?? offset };
}

function sessionOf(event: LiveEvent, data: Fields): SessionEntry {
  return {
    ...placed(event),
    at: saidText(data, "at") ?? event.time,
    kind: "session",
    session: saidText(data, "session") ?? "",
    status: data["status"] === "ended" ? "ended" : "started",
    reason: saidText(data, "reason"),
  };
}
