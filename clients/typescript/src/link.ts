/** One socket from its opening to its end: welcome, heartbeat, frames. It never reconnects. */

import type { Timeouts } from "./defaults.js";
import { AntiphonError, clientError } from "./errors.js";
import type { Timers, WebSocketConstructor, WebSocketLike } from "./options.js";
import { decodeFrame } from "./wire.js";
import type { Frame, ServerInfo } from "./wire.js";

/** Why a socket ended. */
export interface LinkEnd {
  readonly reason: string;
  /** The server's welcome had come. */
  readonly wasReady: boolean;
  /** What the goodbye asked for; null = there was none. */
  readonly reconnectAfterMs: number | null;
}

export interface LinkEvents {
  ready(info: ServerInfo): void;
  frame(frame: Frame): void;
  latency(milliseconds: number): void;
  /** Called once; nothing follows. */
  end(end: LinkEnd): void;
}

interface Ping {
  readonly id: string;
  readonly sentAt: number;
  deadline: unknown;
  /** Frames seen when the deadline was set: a server that talks is not dead. */
  framesThen: number;
}

export class Link {
  readonly #socket: WebSocketLike;
  readonly #timers: Timers;
  readonly #timeouts: Timeouts;
  readonly #events: LinkEvents;
  #phase: "opening" | "ready" | "ended" = "opening";
  #goodbye: { readonly reason: string; readonly reconnectAfterMs: number } | null = null;
  #timer: unknown;
  #ping: Ping | null = null;
  #pings = 0;
  #frames = 0;

  /** Throws what the WebSocket constructor throws. */
  constructor(url: string, socket: WebSocketConstructor, timers: Timers, timeouts: Timeouts, events: LinkEvents) {
    this.#timers = timers;
    this.#timeouts = timeouts;
    this.#events = events;
    this.#socket = new socket(url);
    this.#timer = timers.setTimeout(() => {
      this.#end("no welcome from the server in time");
    }, timeouts.openMs);
    this.#socket.onmessage = (event) => {
      this.#receive(event.data);
    };
    this.#socket.onclose = ({ code, reason }) => {
      this.#end(`connection closed (${String(code)}${reason === "" ? "" : `: ${reason}`})`);
    };
    this.#socket.onerror = () => undefined; // a close event always follows, and it says more
  }

  /** Only for a link that is ready. */
  send(text: string): void {
    if (this.#phase === "ready" && this.#socket.readyState === 1) this.#socket.send(text);
  }

  /** Ask whether the server is still there; it has `withinMs` to say anything. */
  probe(withinMs: number): void {
    if (this.#phase !== "ready") return;
    if (this.#ping === null) this.#sendPing(withinMs);
    else this.#watch(this.#ping, withinMs);
  }

  close(reason: string): void {
    this.#end(reason);
  }

  #receive(data: unknown): void {
    if (this.#phase === "ended") return;
    this.#frames += 1;
    try {
      this.#dispatch(decodeFrame(data));
    } catch (error) {
      if (!(error instanceof AntiphonError) || error.code !== "protocol_error") throw error;
      this.#end(error.message);
    }
  }

  #dispatch(frame: Frame): void {
    if (frame.kind === "goodbye") {
      this.#goodbye = frame;
    } else if (frame.kind === "welcome") {
      this.#welcome(frame.info);
    } else if (this.#phase === "opening") {
      throw clientError("protocol_error", "the server spoke before its welcome");
    } else if ((frame.kind === "reply" || frame.kind === "refusal") && frame.id === this.#ping?.id) {
      this.#pong(this.#ping);
    } else {
      this.#events.frame(frame);
    }
  }

  #welcome(info: ServerInfo): void {
    if (this.#phase !== "opening") throw clientError("protocol_error", "the server sent a second welcome");
    this.#phase = "ready";
    this.#timers.clearTimeout(this.#timer);
    this.#events.ready(info);
    this.#sendPing(this.#timeouts.pingMs);
  }

  #sendPing(withinMs: number): void {
    if (this.#phase !== "ready") return;
    this.#timers.clearTimeout(this.#timer);
    this.#pings += 1;
    const ping: Ping = { id: `ping-${String(this.#pings)}`, sentAt: this.#timers.now(), deadline: null, framesThen: 0 };
    this.#ping = ping;
    this.#watch(ping, withinMs);
    this.send(JSON.stringify({ jsonrpc: "2.0", id: ping.id, method: "ping", params: {} }));
  }

  #watch(ping: Ping, withinMs: number): void {
    this.#timers.clearTimeout(ping.deadline);
    ping.framesThen = this.#frames;
    ping.deadline = this.#timers.setTimeout(() => {
      // the answer may stand in line behind thousands of events: what counts is that anything came
      if (this.#frames > ping.framesThen) this.#watch(ping, withinMs);
      else this.#end("the server stopped answering");
    }, withinMs);
  }

  #pong(ping: Ping): void {
    this.#timers.clearTimeout(ping.deadline);
    this.#ping = null;
    this.#timer = this.#timers.setTimeout(() => {
      this.#sendPing(this.#timeouts.pingMs);
    }, this.#timeouts.pingEveryMs);
    this.#events.latency(Math.max(0, this.#timers.now() - ping.sentAt));
  }

  #end(reason: string): void {
    if (this.#phase === "ended") return;
    const wasReady = this.#phase === "ready";
    this.#phase = "ended";
    this.#timers.clearTimeout(this.#timer);
    this.#timers.clearTimeout(this.#ping?.deadline);
    try {
      this.#socket.close(1000);
    } catch {
      // some constructors refuse to close a socket that never opened; it is abandoned either way
    }
    const said = this.#goodbye === null ? reason : `${this.#goodbye.reason}; ${reason}`;
    this.#events.end({ reason: said, wasReady, reconnectAfterMs: this.#goodbye?.reconnectAfterMs ?? null });
  }
}
