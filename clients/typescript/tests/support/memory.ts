/** A network in memory: sockets whose frames move only when the test lets them. */

import type { ConnectOptions, Surroundings, WebSocketConstructor, WebSocketLike } from "../../src/index.js";
import { Clock, settle } from "./clock.js";
import { MiniServer } from "./miniServer.js";
import type { Session } from "./miniServer.js";

class MemorySocket implements WebSocketLike {
  readyState = 0;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: object) => void) | null = null;
  session: Session | null = null;
  toServer: string[] = [];
  toClient: string[] = [];

  constructor(readonly url: string) {}

  send(text: string): void {
    this.toServer.push(text);
  }

  close(): void {
    this.end(1000, "");
  }

  end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.session?.gone();
    this.onclose?.({ code, reason });
  }
}

export class MemoryNetwork {
  readonly server = new MiniServer();
  readonly clock = new Clock();
  /** All sockets that were ever opened. */
  readonly sockets: MemorySocket[] = [];
  /** Whether a new socket reaches the server. */
  up = true;
  online = true;
  readonly #news = new Set<(news: "online" | "offline" | "visible") => void>();

  readonly WebSocket: WebSocketConstructor;
  readonly surroundings: Surroundings = {
    isOnline: () => this.online,
    subscribe: (listener) => {
      this.#news.add(listener);
      return () => this.#news.delete(listener);
    },
  };

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends MemorySocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    };
  }

  /** Options for `connect`; waits are half of the highest allowed. */
  options(more: Partial<ConnectOptions> = {}): ConnectOptions {
    const { WebSocket, clock, surroundings } = this;
    const noFetch = (): Promise<never> => Promise.reject(new Error("no HTTP here"));
    return { url: "ws://mini/live", WebSocket, timers: clock, surroundings, random: () => 0.5, fetch: noFetch, ...more };
  }

  tell(news: "online" | "offline" | "visible"): void {
    for (const listener of this.#news) listener(news);
  }

  get current(): MemorySocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  get session(): Session {
    if (this.current.session === null) throw new Error("the socket was not accepted");
    return this.current.session;
  }

  /** Opens waiting sockets and moves up to `frames` frames of the newest one, both ways in turn. False: nothing to do. */
  step(frames = Infinity): boolean {
    const socket = this.sockets.at(-1);
    if (socket === undefined || socket.readyState === 3) return false;
    if (socket.readyState === 0) {
      this.#accept(socket);
      return true;
    }
    let moved = 0;
    while (moved < frames && this.#moveOne(socket)) moved += 1;
    return moved > 0;
  }

  #accept(socket: MemorySocket): void {
    if (!this.up) {
      socket.end(1006, "");
      return;
    }
    socket.readyState = 1;
    socket.session = this.server.accept({
      send: (text) => socket.toClient.push(text),
      close: (code, reason) => {
        socket.end(code, reason);
      },
    });
  }

  #moveOne(socket: MemorySocket): boolean {
    const request = socket.toServer.shift();
    if (request !== undefined) socket.session?.receive(request);
    const frame = socket.toClient.shift();
    if (frame !== undefined && socket.readyState === 1) socket.onmessage?.({ data: frame });
    return request !== undefined || frame !== undefined;
  }

  /** Moves everything until nothing moves any more. */
  async quiet(): Promise<void> {
    do await settle();
    while (this.step());
  }

  /** The connection breaks, with all that was on its way. */
  drop(): void {
    this.current.end(1006, "");
  }

  /** Time passes while the network works. */
  async pass(milliseconds: number): Promise<void> {
    await this.clock.advance(milliseconds, () => this.quiet());
  }

  /** Breaks it and lets the client come back. */
  async reconnect(): Promise<void> {
    this.drop();
    await this.pass(15_000);
  }
}
