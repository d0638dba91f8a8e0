/**
 * A connection that stays: attempts, back-off, and what the world says about the network.
 *
 *   connecting -> live <-> catching_up        (a link is ready)
 *       ^            |
 *       |            v
 *   reconnecting / offline                    (waiting for the next attempt; attempts never end)
 *   refused                                   (until reconnect())
 *   closed                                    (for ever)
 */

import { waitMs } from "./backoff.js";
import type { Settings } from "./defaults.js";
import { Door } from "./door.js";
import { AntiphonError, clientError } from "./errors.js";
import { Link } from "./link.js";
import type { LinkEnd } from "./link.js";
import { Store } from "./store.js";
import type { ConnectionState } from "./types.js";
import type { Frame, ServerInfo } from "./wire.js";

export interface ConnectionEvents {
  ready(info: ServerInfo): void;
  frame(frame: Frame): void;
  /** A ready connection ended. */
  lost(reason: string): void;
  /** Entered `refused`. */
  refused(error: AntiphonError): void;
}

/** How long a server may be silent when there is a reason to doubt it (the page was hidden, the network changed). */
const PROBE_MS = 3000;

export class Connection {
  readonly state = new Store<ConnectionState>({ phase: "connecting" });
  readonly #settings: Settings;
  readonly #events: ConnectionEvents;
  readonly #door: Door;
  readonly #unwatch: () => void;
  #link: Link | null = null;
  #attempt: AbortController | null = null;
  #wait: { readonly timer: unknown; readonly retryAt: number; readonly reason: string } | null = null;
  #failures = 0;
  #readyAt: number | null = null;
  #latencyMs: number | null = null;
  #behind = 0;

  constructor(settings: Settings, events: ConnectionEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#door = new Door(settings);
    this.#unwatch = settings.surroundings.subscribe((news) => {
      this.#hear(news);
    });
  }

  /** True between the welcome and the end of a link. */
  get ready(): boolean {
    return this.#readyAt !== null;
  }

  /** Attempt now, unless connected or closed. */
  start(): void {
    if (this.state.get().phase === "closed" || this.#link !== null || this.#attempt !== null) return;
    this.#stopWaiting();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.state.set({ phase: "connecting" });
    const deadline = this.#settings.timers.setTimeout(() => {
      if (this.#attempt === attempt && this.#link === null) this.#failed("the server was not reached in time");
    }, this.#settings.timeouts.openMs);
    void this.#door
      .address(attempt.signal)
      .then(
        (url) => {
          if (this.#attempt === attempt) this.#open(url);
        },
        (error: unknown) => {
          if (this.#attempt === attempt) this.#noAddress(error);
        },
      )
      .finally(() => {
        this.#settings.timers.clearTimeout(deadline);
      });
  }

  /** The word of the feeds: how many events are still to come. */
  setBehind(events: number): void {
    this.#behind = events;
    this.#showReady();
  }

  send(text: string): void {
    this.#link?.send(text);
  }

  /** The server broke the protocol: begin anew, after the usual wait. */
  fail(reason: string): void {
    this.#link?.close(reason);
  }

  close(): void {
    if (this.state.get().phase === "closed") return;
    this.#unwatch();
    this.#stopWaiting();
    this.state.set({ phase: "closed" });
    this.#abandonAttempt();
    this.#link?.close("closed by this program");
  }

  #open(url: string): void {
    const { WebSocket, timers, timeouts } = this.#settings;
    try {
      const link: Link = new Link(url, WebSocket, timers, timeouts, {
        ready: (info) => { this.#welcomed(info); },
        frame: this.#events.frame.bind(this.#events),
        latency: (milliseconds) => { this.#measured(milliseconds); },
        end: (end) => { this.#ended(end); },
      });
      this.#link = link;
    } catch (error) {
      this.#refuse(clientError("usage", `no socket can be opened: ${String(error)}`, { cause: error }));
    }
  }

  #noAddress(error: unknown): void {
    if (error instanceof AntiphonError && !error.retryable && error.code !== "protocol_error") this.#refuse(error);
    else this.#failed(`no ticket: ${error instanceof Error ? error.message : String(error)}`);
  }

  #welcomed(info: ServerInfo): void {
    this.#attempt = null;
    if (info.protocol !== 1) {
      this.#refuse(clientError("protocol_error", `the server speaks version ${String(info.protocol)} of the protocol, this client 1`));
      return;
    }
    this.#readyAt = this.#settings.timers.now();
    this.#latencyMs = null;
    this.#events.ready(info);
    this.#showReady();
  }

  #measured(milliseconds: number): void {
    this.#latencyMs = milliseconds;
    this.#showReady();
  }

  #ended(end: LinkEnd): void {
    const { now } = this.#settings.timers;
    this.#link = null;
    if (this.#readyAt !== null) {
      if (now() - this.#readyAt >= this.#settings.backoff.stableMs) this.#failures = 0;
      this.#readyAt = null;
      this.#behind = 0;
      this.#events.lost(end.reason);
    }
    const { phase } = this.state.get();
    if (phase === "closed" || phase === "refused") return;
    this.#failed(end.reason, end.reconnectAfterMs);
    if (!end.wasReady) this.#askWhy();
  }

  /** A socket tells a browser nothing about why it was refused; the same door over HTTP does. */
  #askWhy(): void {
    const asked = this.#wait;
    void this.#door.refusal(AbortSignal.timeout(this.#settings.timeouts.openMs)).then((error) => {
      // an answer that comes after the next attempt has begun may be outdated; that attempt will ask again
      if (error !== null && asked !== null && this.#wait === asked) this.#refuse(error);
    });
  }

  #refuse(error: AntiphonError): void {
    this.#stopWaiting();
    this.state.set({ phase: "refused", error });
    this.#abandonAttempt();
    this.#link?.close(error.message);
    this.#events.refused(error);
  }

  #failed(reason: string, atLeastMs: number | null = null): void {
    const { timers, random, backoff } = this.#settings;
    this.#abandonAttempt();
    const delay = (atLeastMs ?? 0) + waitMs(this.#failures, backoff, random);
    this.#failures += 1;
    const timer = timers.setTimeout(() => { this.start(); }, delay);
    this.#wait = { timer, retryAt: timers.now() + delay, reason };
    this.#showWaiting();
  }

  #abandonAttempt(): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.abort();
  }

  #stopWaiting(): void {
    this.#settings.timers.clearTimeout(this.#wait?.timer);
    this.#wait = null;
  }

  #hear(news: "online" | "offline" | "visible"): void {
    if (this.#link !== null) {
      this.#link.probe(Math.min(PROBE_MS, this.#settings.timeouts.pingMs));
    } else if (this.#wait !== null && news === "offline") {
      this.#showWaiting();
    } else if (this.#wait !== null) {
      if (news === "online") this.#failures = 0;
      this.start();
    }
  }

  #showReady(): void {
    if (this.#readyAt === null) return;
    const before = this.state.get();
    if (this.#behind > 0) {
      if (before.phase === "catching_up" && before.behind === this.#behind) return;
      this.state.set({ phase: "catching_up", behind: this.#behind });
    } else {
      if (before.phase === "live" && before.latencyMs === this.#latencyMs) return;
      this.state.set({ phase: "live", latencyMs: this.#latencyMs });
    }
  }

  #showWaiting(): void {
    if (this.#wait === null) return;
    const { retryAt, reason } = this.#wait;
    // attempts go on while offline: a server on this machine needs no network
    if (this.#settings.surroundings.isOnline()) {
      this.state.set({ phase: "reconnecting", retryAt, attempt: this.#failures, reason });
    } else {
      this.state.set({ phase: "offline" });
    }
  }
}
