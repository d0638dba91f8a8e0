/** The words of a forum, as on the wire (snake_case; docs/forum.md). Times are RFC 3339. */

/** Who speaks: a program, the host, the forum itself, a person. */
export type SpeakerKind = "agent" | "host" | "system" | "person";

/** The log lines from which a speech was taken. */
export interface SpeechOrigin {
  /** `log:NAME`. */
  readonly channel: string;
  readonly offset: number;
  /** The last line; equal to `offset` where it was one. */
  readonly upto: number;
}

/** Data of `forum.speech`. */
export interface SpeechRow {
  readonly speech_id: string;
  /** `INSIGHT`, `MEDIA`, `QUERY`, `HOST`, `SYSTEM`, `PERSON`, or another app's name in capitals. */
  readonly source: string;
  /** What people read. */
  readonly sender: string;
  readonly kind: SpeakerKind;
  /** Exactly what was said. */
  readonly text: string;
  readonly session: string | null;
  /** Null where a replayed file does not tell the day. */
  readonly said_at: string | null;
  /** `HH:MM:SS` in the server's time. */
  readonly clock: string;
  readonly origin: SpeechOrigin | null;
  /** Its source was muted: the host has not heard it. */
  readonly muted: boolean;
  readonly by: string | null;
}

export interface Speaker {
  readonly sender: string;
  readonly kind: SpeakerKind;
  readonly muted: boolean;
  readonly speeches: number;
}

export interface ForumHost {
  readonly status: "idle" | "speaking" | "failed";
  /** Null = the host has no model: it only quotes. */
  readonly agent: string | null;
  /** While it speaks: its run, and the speech that grows. */
  readonly run_id: string | null;
  readonly speech_id: string | null;
  /** Why it failed. */
  readonly message: string | null;
}

/** The state of `forum:NAME`. */
export interface ForumState {
  readonly name: string;
  /** 8 characters; null between sessions. */
  readonly session: string | null;
  /** The host speaks after so many speeches of agents. */
  readonly threshold: number;
  /** Speeches of agents that the host has not been given. */
  readonly buffered: number;
  /** By source. */
  readonly speakers: Readonly<Record<string, Speaker>>;
  readonly host: ForumHost;
}
