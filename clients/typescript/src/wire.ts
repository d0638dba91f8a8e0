/** From the text of a frame to a value of our own; the only place that knows the form of the server's messages. */

import { asObject, count, flag, isObject, list, malformed, number, text } from "./decode.js";
import type { Fields } from "./decode.js";
import { AntiphonError } from "./errors.js";
import type { CaughtUp, ChannelState, Cursor, Gap, LiveEvent, OpenMessage, Subscribed } from "./types.js";

/** What the server said in its welcome. */
export interface ServerInfo {
  readonly protocol: number;
  readonly server: string;
  readonly epoch: string;
  readonly connectionId: string;
  readonly user: string;
  /** Names of the services that are on, e.g. `processes`. */
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

export type Frame =
  | { readonly kind: "reply"; readonly id: string | number; readonly result: unknown }
  /** `id` is null where the server could not tell which request it refused. */
  | { readonly kind: "refusal"; readonly id: string | number | null; readonly error: AntiphonError }
  | { readonly kind: "welcome"; readonly info: ServerInfo }
  | { readonly kind: "problem"; readonly error: AntiphonError }
  | { readonly kind: "goodbye"; readonly reason: string; readonly reconnectAfterMs: number }
  /** A notification of a newer server. */
  | { readonly kind: "unknown" }
  | LiveEvent
  | CaughtUp
  | Gap;

/** Throws AntiphonError `protocol_error`. */
export function decodeFrame(data: unknown): Frame {
  if (typeof data !== "string") throw malformed("a binary frame");
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    throw malformed("not JSON");
  }
  const fields = asObject(parsed, "a frame");
  if (typeof fields["method"] === "string") return decodeNotification(fields["method"], fields["params"]);
  const id = fields["id"];
  if ("error" in fields) {
    const error = decodeError(fields["error"]);
    return { kind: "refusal", id: typeof id === "number" || typeof id === "string" ? id : null, error };
  }
  if (!("result" in fields) || (typeof id !== "number" && typeof id !== "string")) throw malformed("neither reply nor notification");
  return { kind: "reply", id, result: fields["result"] };
}

function decodeNotification(method: string, params: unknown): Frame {
  const fields = asObject(params ?? {}, "params");
  switch (method) {
    case "event":
      return decodeEvent(fields);
    case "caught_up":
      return { kind: "caught_up", channel: text(fields, "channel"), offset: count(fields, "offset") };
    case "gap":
      return decodeGap(fields);
    case "welcome":
      return { kind: "welcome", info: decodeWelcome(fields) };
    case "problem":
      return { kind: "problem", error: decodeError(fields) };
    case "goodbye": {
      const seconds = number(fields, "reconnect_after_s");
      return { kind: "goodbye", reason: text(fields, "reason"), reconnectAfterMs: Math.max(0, seconds * 1000) };
    }
    default:
      return { kind: "unknown" };
  }
}

export function decodeEvent(fields: Fields): LiveEvent {
  const by = fields["by"];
  return {
    kind: "event",
    channel: text(fields, "channel"),
    offset: count(fields, "offset"),
    type: text(fields, "type"),
    data: fields["data"],
    time: text(fields, "time"),
    by: typeof by === "string" ? by : null,
  };
}

export function decodeEvents(values: readonly unknown[]): LiveEvent[] {
  return values.map((value) => decodeEvent(asObject(value, "an event")));
}

function decodeGap(fields: Fields): Gap {
  return {
    kind: "gap",
    channel: text(fields, "channel"),
    epoch: text(fields, "epoch"),
    from: count(fields, "from"),
    to: count(fields, "to"),
    reason: text(fields, "reason"),
    ...decodeState(fields["state"]),
  };
}

/** The reply of `subscribe`. */
export function decodeSubscribed(channel: string, result: unknown): Subscribed {
  const fields = asObject(result, "the reply of subscribe");
  const messages = fields["messages"];
  return {
    kind: "subscribed",
    channel,
    epoch: text(fields, "epoch"),
    after: count(fields, "after"),
    head: count(fields, "head"),
    oldest: count(fields, "oldest"),
    recovered: flag(fields, "recovered"),
    ...decodeState(fields["state"]),
    ...(messages === undefined || messages === null ? {} : { messages: list(fields, "messages").map(decodeMessage) }),
  };
}

function decodeState(value: unknown): { state?: ChannelState } {
  if (value === undefined || value === null) return {};
  const fields = asObject(value, "state");
  return { state: { version: count(fields, "version"), value: fields["value"] } };
}

function decodeMessage(value: unknown): OpenMessage {
  const fields = asObject(value, "a message");
  return { messageId: text(fields, "message_id"), role: text(fields, "role"), text: text(fields, "text") };
}

export function decodeCursor(result: unknown): Cursor {
  const fields = asObject(result, "a cursor");
  return { epoch: text(fields, "epoch"), offset: count(fields, "offset") };
}

function decodeWelcome(fields: Fields): ServerInfo {
  const limits = isObject(fields["limits"]) ? Object.entries(fields["limits"]) : [];
  return {
    protocol: count(fields, "protocol"),
    server: text(fields, "server"),
    epoch: text(fields, "epoch"),
    connectionId: text(fields, "connection_id"),
    user: text(fields, "user"),
    features: list(fields, "features").filter((name) => typeof name === "string"),
    limits: Object.fromEntries(limits.filter((entry): entry is [string, number] => typeof entry[1] === "number")),
  };
}

/** An error object of JSON-RPC, or the flat one of our HTTP answers. */
export function decodeError(value: unknown): AntiphonError {
  const fields = asObject(value, "an error");
  const facts = isObject(fields["data"]) ? fields["data"] : fields;
  const { code, pointer } = facts;
  return new AntiphonError(typeof code === "string" ? code : "internal", text(fields, "message"), {
    pointer: typeof pointer === "string" ? pointer : undefined,
    retryable: facts["retryable"] === true,
  });
}
