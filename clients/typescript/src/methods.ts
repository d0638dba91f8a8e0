/** The requests of `/live`: parameters and results, as on the wire (snake_case). */

import { agentPatience, checkAgentResult, mayRepeatAgent } from "./agent/methods.js";
import type { AgentMethods } from "./agent/methods.js";
import { asObject, count, flag, list, text } from "./decode.js";
import { checkForumResult, mayRepeatForum } from "./forum/methods.js";
import type { ForumMethods } from "./forum/methods.js";
import { checkRunResult, mayRepeatRun, runPatience } from "./run/methods.js";
import type { RunMethods } from "./run/methods.js";
import type { Cursor, LiveEvent } from "./types.js";
import { decodeCursor, decodeEvents } from "./wire.js";

export interface HistoryParams {
  readonly channel: string;
  /** Exclusive; oldest first from here. Give `after`, or `before`, or neither (the newest). */
  readonly after?: number;
  /** Exclusive; the page that ends here. */
  readonly before?: number;
  /** 1 to 1000, default 100. */
  readonly limit?: number;
}

export interface HistoryPage {
  readonly epoch: string;
  /** Ascending. */
  readonly events: readonly LiveEvent[];
  readonly oldest: number;
  readonly head: number;
}

export interface SearchParams {
  readonly channel: string;
  readonly text: string;
  /** Exclusive; go on with the `scanned_to` of the slice before. */
  readonly before?: number;
  /** 0 to 1000, default 50; 0 only counts. */
  readonly limit?: number;
  readonly ignore_case?: boolean;
}

export interface SearchSlice {
  /** Newest first. */
  readonly hits: readonly LiveEvent[];
  /** Matches with `scanned_to <= offset < before`. */
  readonly count: number;
  readonly scanned_to: number;
  /** Nothing is left to scan. */
  readonly complete: boolean;
}

export interface ChannelRow {
  readonly channel: string;
  readonly oldest: number;
  readonly head: number;
}

export interface SubscriptionRow {
  readonly channel: string;
  readonly phase: "live" | "pulling";
  /** Events between its cursor and the head. */
  readonly lag: number;
}

interface ConnectionBase {
  readonly connection_id: string;
  readonly user: string;
  readonly transport: "websocket" | "sse";
  readonly path: string;
  readonly address: string;
  readonly connected_at: string;
  readonly user_agent: string | null;
  readonly sent_bytes: number;
  readonly received_bytes: number;
}

export interface ConnectionRow extends ConnectionBase {
  readonly subscriptions: readonly SubscriptionRow[];
  readonly queued_bytes: number;
}

export interface EndedConnectionRow extends ConnectionBase {
  readonly disconnected_at: string;
  readonly reason: string;
  /** The WebSocket close code, or null. */
  readonly code: number | null;
}

export interface ConnectionList {
  readonly connections: readonly ConnectionRow[];
  /** The last 100 that ended. */
  readonly recent: readonly EndedConnectionRow[];
}

export type ProcessStatus = "stopped" | "starting" | "running" | "unhealthy" | "stopping" | "exited" | "failed";

/** One row of the process table: the state of channel `processes` is `{NAME: row}`. */
export interface ProcessRow {
  readonly status: ProcessStatus;
  readonly pid: number | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly exit_code: number | null;
  readonly signal: number | string | null;
  readonly cpu_percent: number | null;
  readonly memory_bytes: number | null;
  readonly restarts: number;
  readonly port: number | null;
  /** Why it is in this status, in words. */
  readonly reason: string | null;
  readonly channel: string;
  /** `config`: from antiphon.toml; `run`: started by `antiphon run`. */
  readonly source: "config" | "run";
  /** Whether text can be written to its standard input while it runs. */
  readonly stdin: boolean;
}

/** The state of channel `processes`. */
export type ProcessTable = Readonly<Record<string, ProcessRow>>;

/** The state of channel `logs`: followed files. */
export type FollowedFiles = Readonly<
  Record<
    string,
    {
      readonly path: string;
      readonly status: "waiting" | "following";
      readonly size_bytes: number | null;
      readonly channel: string;
    }
  >
>;

/** Data of a `line` event. */
export interface LogLine {
  readonly text: string;
  readonly stream: "stdout" | "stderr" | "file";
}

export interface ProcessAnswer {
  readonly name: string;
  readonly process: ProcessRow;
}

export type Empty = Readonly<Record<string, never>>;

/** Every request that can be made with `live.request`. Subscriptions are `live.subscribe`. */
export interface Methods extends RunMethods, AgentMethods, ForumMethods {
  readonly publish: {
    readonly params: {
      readonly channel: string;
      readonly type: string;
      readonly data: unknown;
      readonly idempotency_key?: string;
    };
    readonly result: Cursor;
  };
  readonly history: { readonly params: HistoryParams; readonly result: HistoryPage };
  readonly search: { readonly params: SearchParams; readonly result: SearchSlice };
  readonly state: {
    readonly params: { readonly channel: string };
    readonly result: { readonly epoch: string; readonly version: number; readonly value: unknown };
  };
  readonly "channel.list": {
    readonly params: { readonly prefix?: string };
    readonly result: { readonly epoch: string; readonly channels: readonly ChannelRow[] };
  };
  readonly "connection.list": { readonly params: Empty; readonly result: ConnectionList };
  readonly "process.start": { readonly params: { readonly name: string }; readonly result: ProcessAnswer };
  readonly "process.stop": { readonly params: { readonly name: string }; readonly result: ProcessAnswer };
  readonly "process.restart": { readonly params: { readonly name: string }; readonly result: ProcessAnswer };
  readonly "process.write": { readonly params: { readonly name: string; readonly text: string }; readonly result: Empty };
  readonly ping: { readonly params: Empty; readonly result: { readonly time: string } };
}

/** Requests that change nothing: they may be asked again after a lost connection. */
const READING: ReadonlySet<string> = new Set(["history", "search", "state", "channel.list", "connection.list", "ping"]);

export function mayRepeat(method: keyof Methods, params: object): boolean {
  if (READING.has(method) || (method === "publish" && "idempotency_key" in params)) return true;
  return mayRepeatRun(method, params) || mayRepeatAgent(method) || mayRepeatForum(method, params);
}

/** Ending a process tree may take its whole grace; waiting for a run takes what was asked for. */
export function patience(method: keyof Methods, params: object, usualMs: number): number {
  if (method === "process.stop" || method === "process.restart") return Math.max(usualMs, 120_000);
  return agentPatience(method, runPatience(method, params, usualMs));
}

/**
 * Reads a result. What the client itself relies on is checked field by field; rows for display are only checked to be of
 * their outer form. Throws AntiphonError `protocol_error`.
 */
export function decodeResult<M extends keyof Methods>(method: M, result: unknown): Methods[M]["result"];
export function decodeResult(method: keyof Methods, result: unknown): unknown {
  const fields = asObject(result, `the reply of ${method}`);
  switch (method) {
    case "publish":
    case "run.emit":
      return decodeCursor(fields);
    case "history":
      return {
        epoch: text(fields, "epoch"),
        events: decodeEvents(list(fields, "events")),
        oldest: count(fields, "oldest"),
        head: count(fields, "head"),
      };
    case "search":
      return {
        hits: decodeEvents(list(fields, "hits")),
        count: count(fields, "count"),
        scanned_to: count(fields, "scanned_to"),
        complete: flag(fields, "complete"),
      };
    case "state":
      return { epoch: text(fields, "epoch"), version: count(fields, "version"), value: fields["value"] };
    case "channel.list":
      list(fields, "channels");
      return fields;
    case "connection.list":
      list(fields, "connections");
      list(fields, "recent");
      return fields;
    case "process.start":
    case "process.stop":
    case "process.restart":
      asObject(fields["process"], "process");
      return fields;
    default:
      if (!checkAgentResult(method, fields) && !checkForumResult(method, fields)) checkRunResult(method, fields);
      return fields;
  }
}
