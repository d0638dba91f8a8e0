/** The server's side of the protocol in small: logs in memory, no sockets, and faults on request. */

import { applyPatch } from "../../src/index.js";
import type { PatchOperation } from "../../src/index.js";

interface WireEvent {
  channel: string;
  offset: number;
  type: string;
  data: unknown;
  time: string;
}

interface WireState {
  version: number;
  value: unknown;
}

class Log {
  readonly events: WireEvent[] = [];
  oldest = 1;
  readonly keys = new Map<string, number>();
  readonly #states: WireState[] = [{ version: 0, value: {} }]; // by offset

  get head(): number {
    return this.events.length;
  }

  stateAt(offset: number): WireState {
    return this.#states[offset] ?? { version: 0, value: {} };
  }

  append(channel: string, type: string, data: unknown): number {
    const offset = this.head + 1;
    const before = this.stateAt(offset - 1);
    const ops = type === "state.patch" ? (data as { ops: PatchOperation[] }).ops : null;
    this.#states[offset] = ops === null ? before : { version: offset, value: applyPatch(before.value, ops) };
    this.events.push({ channel, offset, type, data, time: "2026-01-01T00:00:00.000Z" });
    return offset;
  }
}

export interface Wire {
  send(text: string): void;
  close(code: number, reason: string): void;
}

export class Refusal extends Error {
  constructor(readonly data: { readonly code: string; readonly pointer?: string; readonly retryable?: boolean }) {
    super(data.code);
  }
}

export class MiniServer {
  epoch = "e1";
  readonly sessions = new Set<Session>();
  /** Each event is sent this many times. */
  copies = 1;
  /** Events a new session may send before somebody gives it more. */
  budget = Infinity;
  /** Requests are read and not answered. */
  deaf = false;
  protocol = 1;
  /** Every request that came in: "method channel". */
  readonly seen: string[] = [];
  /** What other methods are answered; throwing a `Refusal` refuses. */
  readonly answers = new Map<string, (params: Record<string, unknown>) => unknown>();
  /** Refuse the next request of this method with this error. */
  readonly refuse = new Map<string, { code: string; message: string; retryable?: boolean; pointer?: string }>();
  #logs = new Map<string, Log>();
  #connections = 0;

  log(channel: string): Log {
    let log = this.#logs.get(channel);
    if (log === undefined) this.#logs.set(channel, (log = new Log()));
    return log;
  }

  publish(channel: string, data: unknown = null, type = "note"): number {
    const offset = this.log(channel).append(channel, type, data);
    for (const session of this.sessions) session.pump(channel);
    return offset;
  }

  patch(channel: string, ...ops: PatchOperation[]): number {
    return this.publish(channel, { ops }, "state.patch");
  }

  trim(channel: string, oldest: number): void {
    const log = this.log(channel);
    log.oldest = Math.min(Math.max(log.oldest, oldest), log.head + 1);
  }

  /** Another life of the store, without the old logs. */
  rebirth(epoch: string): void {
    this.epoch = epoch;
    this.#logs = new Map();
  }

  accept(wire: Wire): Session {
    this.#connections += 1;
    const session = new Session(this, wire, this.budget);
    this.sessions.add(session);
    session.notify("welcome", {
      protocol: this.protocol,
      server: "mini/1",
      epoch: this.epoch,
      connection_id: `c-${String(this.#connections)}`,
      user: "local",
      features: ["processes"],
      limits: { message_bytes: 1048576 },
    });
    return session;
  }
}

export class Session {
  readonly subscriptions = new Map<string, { cursor: number; caughtUp: boolean }>();
  readonly #server: MiniServer;
  readonly #wire: Wire;
  #budget: number;

  constructor(server: MiniServer, wire: Wire, budget: number) {
    this.#server = server;
    this.#wire = wire;
    this.#budget = budget;
  }

  notify(method: string, params: unknown): void {
    this.raw(JSON.stringify({ jsonrpc: "2.0", method, params }));
  }

  raw(text: string): void {
    this.#wire.send(text);
  }

  close(code: number, reason = ""): void {
    this.gone();
    this.#wire.close(code, reason);
  }

  /** The peer has left. */
  gone(): void {
    this.#server.sessions.delete(this);
  }

  /** Lets the session send `events` more. */
  grant(events: number): void {
    this.#budget = events;
    for (const channel of this.subscriptions.keys()) this.pump(channel);
  }

  receive(text: string): void {
    const { id, method, params } = JSON.parse(text) as { id: unknown; method: string; params: Record<string, unknown> };
    const channel = typeof params["channel"] === "string" ? params["channel"] : "";
    if (method !== "ping") this.#server.seen.push(`${method} ${channel}`.trim());
    if (this.#server.deaf) return;
    const refusal = this.#server.refuse.get(method);
    if (refusal !== undefined) {
      this.#server.refuse.delete(method);
      const { message, ...data } = refusal;
      this.raw(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32000, message, data: { retryable: false, ...data } } }));
      return;
    }
    this.raw(JSON.stringify({ jsonrpc: "2.0", id, ...this.#reply(method, channel, params) }));
    if (method === "subscribe") this.pump(channel);
  }

  #reply(method: string, channel: string, params: Record<string, unknown>): object {
    try {
      return { result: this.#answer(method, channel, params) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: { code: -32000, message: error.message, data: { retryable: false, ...error.data } } };
    }
  }

  #answer(method: string, channel: string, params: Record<string, unknown>): unknown {
    switch (method) {
      case "subscribe":
        return this.#subscribe(channel, params["after"]);
      case "unsubscribe":
        if (!this.subscriptions.delete(channel)) throw new Error(`not subscribed to ${channel}`);
        return {};
      case "publish":
        return this.#publish(channel, params);
      case "history":
        return this.#history(channel, params);
      case "ping":
        return { time: "2026-01-01T00:00:00.000Z" };
      default:
        return this.#server.answers.get(method)?.(params) ?? {};
    }
  }

  #subscribe(channel: string, after: unknown): unknown {
    if (this.subscriptions.has(channel)) throw new Error(`subscribed to ${channel} already`);
    const log = this.#server.log(channel);
    const given = typeof after === "object" ? (after as { epoch: string; offset: number }) : null;
    const continues =
      given !== null && given.epoch === this.#server.epoch && given.offset <= log.head && given.offset >= log.oldest - 1;
    const hasState = log.stateAt(log.head).version > 0;
    const refused = given !== null && !continues;
    const from = continues ? given.offset : after === "now" || (refused && hasState) ? log.head : log.oldest - 1;
    this.subscriptions.set(channel, { cursor: from, caughtUp: false });
    const fresh = after === "now" || refused || (after === "start" && log.oldest > 1);
    return {
      epoch: this.#server.epoch,
      after: from,
      head: log.head,
      oldest: log.oldest,
      recovered: !refused,
      ...(fresh && hasState ? { state: log.stateAt(from), messages: [] } : {}),
    };
  }

  #publish(channel: string, params: Record<string, unknown>): unknown {
    const { type, data, idempotency_key: key } = params as { type: string; data: unknown; idempotency_key?: string };
    const log = this.#server.log(channel);
    const known = key === undefined ? undefined : log.keys.get(key);
    const offset = known ?? this.#server.publish(channel, data, type);
    if (key !== undefined) log.keys.set(key, offset);
    return { epoch: this.#server.epoch, offset };
  }

  #history(channel: string, params: Record<string, unknown>): unknown {
    const { after, before, limit = 100 } = params as { after?: number; before?: number; limit?: number };
    const log = this.#server.log(channel);
    const kept = log.events.slice(log.oldest - 1);
    const wanted = kept.filter(({ offset }) => offset > (after ?? 0) && offset < (before ?? Infinity));
    const events = after === undefined ? wanted.slice(-limit) : wanted.slice(0, limit);
    return { epoch: this.#server.epoch, events, oldest: log.oldest, head: log.head };
  }

  pump(channel: string): void {
    const subscription = this.subscriptions.get(channel);
    if (subscription === undefined) return;
    const log = this.#server.log(channel);
    while (subscription.cursor < log.head && this.#budget > 0) {
      if (subscription.cursor < log.oldest - 1) this.#gap(channel, log, subscription);
      const event = log.events[subscription.cursor];
      if (event === undefined) break;
      subscription.cursor += 1;
      this.#budget -= 1;
      for (let copy = 0; copy < this.#server.copies; copy++) this.notify("event", event);
    }
    if (subscription.caughtUp || subscription.cursor < log.head) return;
    subscription.caughtUp = true;
    this.notify("caught_up", { channel, offset: subscription.cursor });
  }

  #gap(channel: string, log: Log, subscription: { cursor: number }): void {
    const to = log.oldest - 1;
    const state = log.stateAt(to);
    this.notify("gap", {
      channel,
      epoch: this.#server.epoch,
      from: subscription.cursor + 1,
      to,
      reason: "retention",
      ...(state.version > 0 ? { state } : {}),
    });
    subscription.cursor = to;
  }
}
