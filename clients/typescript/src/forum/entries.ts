/** What a forum looks like to somebody who reads it. All values are immutable: what did not change stays the same object. */

import type { SpeakerKind, SpeechOrigin } from "./rows.js";

interface Entry {
  /** Unique in its forum and the same for ever: a key for lists. */
  readonly key: string;
  /** The offset of the event it began with, and of the last that changed it. */
  readonly offset: number;
  readonly upto: number;
  /** RFC 3339; null = it is not known. */
  readonly at: string | null;
}

export interface SpeechEntry extends Entry {
  readonly kind: "speech";
  readonly id: string;
  readonly source: string;
  /** Empty while the host's words grow: its state tells who it is. */
  readonly sender: string;
  readonly speaker: SpeakerKind;
  readonly text: string;
  /** `open` = still growing. */
  readonly status: "open" | "completed" | "cancelled" | "failed";
  readonly session: string | null;
  /** `HH:MM:SS` in the server's time; null = not told. */
  readonly clock: string | null;
  readonly origin: SpeechOrigin | null;
  readonly muted: boolean;
  readonly by: string | null;
  /** Its beginning may lie before what was read. */
  readonly cut: boolean;
}

export interface SessionEntry extends Entry {
  readonly kind: "session";
  readonly session: string;
  readonly status: "started" | "ended";
  /** Of an end: `restarted`, `idle`, `stopped`. */
  readonly reason: string | null;
}

/** The host did not succeed. */
export interface HostEntry extends Entry {
  readonly kind: "host";
  readonly status: "failed" | "let_go" | "stopped" | (string & {});
  readonly reason: string | null;
  /** How many speeches are not put to it any more. */
  readonly letGo: number;
}

export type ForumEntry = SpeechEntry | SessionEntry | HostEntry;
