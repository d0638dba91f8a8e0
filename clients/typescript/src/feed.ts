/**
 * One channel of one client: a single wire subscription shared by any number of readers.
 *
 * The rule is the server's own: a reader is a cursor. Events of the wire subscription go to the readers that stand where it
 * stands (`attached`). Everybody else is `pulling`: reading pages of the log as its consumer makes room, until it has reached
 * the wire subscription and is attached. So a second reader with another starting point, and a reader whose consumer is slow,
 * disturb nobody, lose nothing and hold at most their buffer and one page.
 *
 * A new reader is `joining`: only the answer to a `subscribe` says authoritatively where it begins and in which state. If
 * the channel is subscribed already, the wire subscription is ended for a moment and made again for the newcomer. Where that
 * leaves it further on, the others pull the difference; where it would throw them back, it is made once more at their mark
 * and the newcomer pulls. One request is under way at a time, so every event can be attributed.
 */

import { asObject, count, list, text } from "./decode.js";
import { AntiphonError } from "./errors.js";
import type { Reader } from "./reader.js";
import type { Answer } from "./requests.js";
import type { After, CaughtUp, Gap, LiveEvent, Subscribed } from "./types.js";
import { decodeEvents, decodeSubscribed } from "./wire.js";

/** What a feed needs of the client. */
export interface FeedPort {
  /** Number of the connection that is there; null = none. */
  connection(): number | null;
  call(method: string, params: object, done: (answer: Answer) => void): void;
  /** The server broke the protocol. */
  violation(error: AntiphonError): void;
  /** `behind` may have changed. */
  progress(): void;
  /** Runs `task` after a back-off. */
  later(task: () => void): void;
  /** Nobody reads any more. */
  unused(feed: Feed): void;
}

interface Wired {
  readonly head: number;
  caughtUp: boolean;
  /** Made only to learn where a newcomer begins; its events are not for anybody. */
  readonly probe: boolean;
}

const PAGE_EVENTS = 500;

export class Feed {
  readonly channel: string;
  readonly #port: FeedPort;
  readonly #joining: Reader[] = [];
  readonly #attached = new Set<Reader>();
  readonly #pulling = new Map<Reader, { busy: boolean }>();
  /** Where the attached readers stand; the wire subscription is made (again) after this. */
  #mark: { epoch: string; offset: number } | null = null;
  #wired: Wired | null = null;
  #busy = false;
  #turn = 0; // answers of an earlier turn belong to a connection that is gone

  constructor(channel: string, port: FeedPort) {
    this.channel = channel;
    this.#port = port;
  }

  /** Events still to come before the attached readers have caught up. */
  get behind(): number {
    if (this.#wired === null || this.#wired.caughtUp || this.#wired.probe || this.#mark === null) return 0;
    return Math.max(0, this.#wired.head - this.#mark.offset);
  }

  add(reader: Reader): void {
    this.#joining.push(reader);
    this.#pump();
  }

  remove(reader: Reader): void {
    const index = this.#joining.indexOf(reader);
    if (index >= 0) this.#joining.splice(index, 1);
    this.#attached.delete(reader);
    this.#pulling.delete(reader);
    this.#pump();
    this.#pullAll();
  }

  /** A connection is there. */
  connected(): void {
    this.#pump();
    this.#pullAll();
  }

  /** The connection is gone. */
  lost(): void {
    this.#turn += 1;
    this.#busy = false;
    this.#wired = null;
    for (const pull of this.#pulling.values()) pull.busy = false;
  }

  /** The client was closed: all readers end. */
  close(): void {
    for (const reader of [...this.#joining, ...this.#attached, ...this.#pulling.keys()]) reader.close();
  }

  // ---- what the wire says ----

  event(event: LiveEvent): void {
    const mark = this.#mark;
    if (this.#wired === null || this.#wired.probe || mark === null || event.offset <= mark.offset) return;
    if (event.offset !== mark.offset + 1) throw hole(this.channel, mark.offset, event.offset);
    mark.offset = event.offset;
    for (const reader of this.#attached) {
      if (!reader.event(event)) this.#detach(reader);
    }
    if (!this.#wired.caughtUp) this.#port.progress();
    if (this.#attached.size === 0) this.#pump();
  }

  gap(gap: Gap): void {
    if (this.#wired === null || this.#wired.probe || this.#mark === null || gap.to <= this.#mark.offset) return;
    if (gap.from > this.#mark.offset + 1) throw hole(this.channel, this.#mark.offset, gap.from);
    this.#mark = { epoch: gap.epoch, offset: gap.to };
    for (const reader of this.#attached) reader.gap(gap);
    this.#port.progress();
  }

  caughtUp(notice: CaughtUp): void {
    if (this.#wired === null || this.#wired.probe || this.#mark === null) return;
    if (notice.offset > this.#mark.offset) throw hole(this.channel, this.#mark.offset, notice.offset + 1);
    this.#wired.caughtUp = true;
    for (const reader of this.#attached) this.#tellCaughtUp(reader);
    this.#port.progress();
  }

  // ---- the wire subscription ----

  /** Does the next thing that is to be done, if nothing is under way. */
  #pump(): void {
    if (this.#busy || this.#port.connection() === null) {
      this.#checkUse();
      return;
    }
    const newcomer = this.#joining[0];
    if (this.#wired !== null) {
      if (newcomer !== undefined || this.#attached.size === 0 || this.#wired.probe) this.#unsubscribe();
    } else if (newcomer !== undefined) {
      this.#subscribe(newcomer.after, (reply) => { this.#welcome(newcomer, reply); }, [newcomer]);
    } else if (this.#mark !== null && this.#attached.size > 0) {
      this.#subscribe({ ...this.#mark }, (reply) => { this.#resume(reply); }, this.#attached);
    }
    this.#checkUse();
  }

  #checkUse(): void {
    if (this.#joining.length > 0 || this.#attached.size > 0 || this.#pulling.size > 0) return;
    this.#mark = null;
    if (!this.#busy && (this.#wired === null || this.#port.connection() === null)) this.#port.unused(this);
  }

  #subscribe(after: After, done: (reply: Subscribed) => void, concerned: Iterable<Reader>): void {
    this.#call("subscribe", { channel: this.channel, after }, (answer) => {
      if ("error" in answer) this.#refused(answer.error, concerned);
      else done(decodeSubscribed(this.channel, answer.result));
      this.#port.progress();
    });
  }

  #unsubscribe(): void {
    this.#call("unsubscribe", { channel: this.channel }, (answer) => {
      if ("error" in answer && answer.error.code !== "not_subscribed") throw answer.error;
      this.#wired = null;
      this.#port.progress();
    });
  }

  #call(method: string, params: object, done: (answer: Answer) => void): void {
    const turn = this.#turn;
    this.#busy = true;
    this.#port.call(method, params, (answer) => {
      if (turn !== this.#turn) return;
      this.#busy = false;
      this.#strictly(() => { done(answer); });
      this.#pump();
      this.#pullAll();
    });
  }

  /** The answer to a newcomer's `subscribe`. */
  #welcome(newcomer: Reader, reply: Subscribed): void {
    const connection = this.#port.connection() ?? 0;
    const mark = this.#mark;
    const stays = this.#attached.size === 0 || mark === null || (mark.epoch === reply.epoch && mark.offset <= reply.after);
    this.#wired = { head: reply.head, caughtUp: false, probe: !stays };
    if (stays) {
      for (const reader of this.#attached) {
        if (reader.offset < reply.after) this.#detach(reader);
      }
      this.#mark = { epoch: reply.epoch, offset: reply.after };
    }
    const index = this.#joining.indexOf(newcomer);
    if (index < 0) return; // closed meanwhile
    this.#joining.splice(index, 1);
    newcomer.accept(reply, connection);
    if (stays) this.#attached.add(newcomer);
    else this.#pulling.set(newcomer, { busy: false });
  }

  /** The attached readers go on, after a reconnection or after a newcomer was served. */
  #resume(reply: Subscribed): void {
    const connection = this.#port.connection() ?? 0;
    this.#wired = { head: reply.head, caughtUp: false, probe: false };
    this.#mark = { epoch: reply.epoch, offset: reply.after };
    for (const reader of this.#attached) reader.accept(reply, connection);
  }

  #refused(error: AntiphonError, concerned: Iterable<Reader>): void {
    if (error.code === "already_subscribed") throw error;
    if (error.retryable) {
      this.#busy = true;
      const turn = this.#turn;
      this.#port.later(() => {
        if (turn !== this.#turn) return;
        this.#busy = false;
        this.#pump();
        this.#pullAll();
      });
      return;
    }
    for (const reader of [...concerned]) {
      this.remove(reader);
      reader.fail(error);
    }
  }

  // ---- readers that pull ----

  /** Fetch the next page for `reader`, or attach it, if there is room and nothing is under way. */
  pull(reader: Reader): void {
    const pull = this.#pulling.get(reader);
    if (pull === undefined || pull.busy || !reader.hasRoom || this.#port.connection() === null) return;
    if (this.#canAttach(reader)) {
      this.#attach(reader);
    } else if (reader.atHead && this.#busy) {
      return; // what is under way may let it be attached; its end pulls again
    } else if (reader.atHead && this.#attached.size === 0) {
      this.#rejoin(reader);
    } else {
      pull.busy = true;
      const turn = this.#turn;
      this.#port.call("history", { channel: this.channel, after: reader.offset, limit: PAGE_EVENTS }, (answer) => {
        if (turn !== this.#turn || this.#pulling.get(reader) !== pull) return;
        pull.busy = false;
        this.#strictly(() => { this.#page(reader, answer); });
        this.pull(reader);
      });
    }
  }

  #pullAll(): void {
    for (const reader of [...this.#pulling.keys()]) this.pull(reader);
  }

  #page(reader: Reader, answer: Answer): void {
    if ("error" in answer) {
      this.#pageRefused(reader, answer.error);
      return;
    }
    const fields = asObject(answer.result, "the reply of history");
    const events = decodeEvents(list(fields, "events"));
    const head = count(fields, "head");
    const first = events[0]?.offset ?? head + 1;
    if (text(fields, "epoch") !== reader.epoch || first > reader.offset + 1 || head < reader.offset) {
      this.#rejoin(reader); // trimmed, or another life of the store: only `subscribe` says how to go on
      return;
    }
    for (const event of events) {
      if (event.offset > reader.offset + 1) throw hole(this.channel, reader.offset, event.offset);
      reader.event(event);
    }
    reader.atHead = head <= reader.offset;
  }

  #pageRefused(reader: Reader, error: AntiphonError): void {
    if (error.retryable) {
      const pull = { busy: true };
      this.#pulling.set(reader, pull);
      this.#port.later(() => {
        if (this.#pulling.get(reader) !== pull) return;
        pull.busy = false;
        this.pull(reader);
      });
      return;
    }
    this.remove(reader);
    reader.fail(error);
  }

  #canAttach(reader: Reader): boolean {
    const mark = this.#mark;
    if (this.#wired === null || this.#wired.probe || mark === null || this.#attached.size === 0) return false;
    return reader.epoch === mark.epoch && reader.offset >= mark.offset;
  }

  #attach(reader: Reader): void {
    this.#pulling.delete(reader);
    this.#attached.add(reader);
    if (this.#wired?.caughtUp === true) this.#tellCaughtUp(reader);
  }

  #detach(reader: Reader): void {
    this.#attached.delete(reader);
    reader.atHead = false;
    this.#pulling.set(reader, { busy: false });
  }

  #rejoin(reader: Reader): void {
    this.#pulling.delete(reader);
    this.#joining.push(reader);
    this.#pump();
  }

  #tellCaughtUp(reader: Reader): void {
    reader.caughtUp(this.#port.connection() ?? 0);
  }

  /** What cannot be understood ends the connection: after the next one everything is asked for again. */
  #strictly(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof AntiphonError)) throw error;
      this.#port.violation(error);
    }
  }
}

function hole(channel: string, had: number, got: number): AntiphonError {
  return new AntiphonError("protocol_error", `${channel} went on with ${String(got)} after ${String(had)}`);
}
