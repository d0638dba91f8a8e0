/** Questions that wait for an answer, over as many connections as it takes. */

import { AntiphonError, clientError } from "./errors.js";
import type { Timers } from "./options.js";
import { guarded } from "./store.js";

export type Answer = { readonly result: unknown } | { readonly error: AntiphonError };

export interface RequestPlan {
  /** May be asked again where the connection ended before the answer. */
  readonly repeat: boolean;
  /** Null = no deadline. */
  readonly timeoutMs: number | null;
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly id: number;
  readonly text: string;
  readonly repeat: boolean;
  readonly settle: (answer: Answer) => void;
  sent: boolean;
}

/** More than this many unanswered requests are refused: a program in a loop must not fill the memory. */
const MAX_PENDING = 10_000;

export class Requests {
  readonly #timers: Timers;
  /** In the order of the calls, which is the order in which they are sent, also again. */
  readonly #pending = new Map<number, Pending>();
  #send: ((text: string) => void) | null = null;
  #limitBytes = Infinity;
  #barred: AntiphonError | null = null;
  #lastId = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** `done` is called once, within the frame that answers: what follows on the wire has not been read yet. */
  call(method: string, params: object, plan: RequestPlan, done: (answer: Answer) => void): void {
    const refusal = this.#refusal(plan.signal);
    if (refusal !== null) {
      queueMicrotask(() => { done({ error: refusal }); });
      return;
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const timer =
      plan.timeoutMs === null
        ? null
        : this.#timers.setTimeout(() => {
            this.#settle(id, { error: clientError("timeout", `no answer to ${method} in time`, { retryable: true }) });
          }, plan.timeoutMs);
    const abort = (): void => {
      this.#settle(id, { error: aborted(plan.signal) });
    };
    plan.signal?.addEventListener("abort", abort, { once: true });
    const settle = (answer: Answer): void => {
      this.#timers.clearTimeout(timer);
      plan.signal?.removeEventListener("abort", abort);
      guarded(() => { done(answer); });
    };
    const request = { id, text: JSON.stringify({ jsonrpc: "2.0", id, method, params }), repeat: plan.repeat, settle, sent: false };
    this.#pending.set(id, request);
    this.#transmit(request);
  }

  /** A connection is there: everything that waits is sent, save what the server would end the connection for. */
  attach(send: (text: string) => void, limitBytes = Infinity): void {
    this.#send = send;
    this.#limitBytes = limitBytes;
    for (const request of [...this.#pending.values()]) this.#transmit(request);
  }

  /** The connection is gone. */
  detach(reason: string): void {
    this.#send = null;
    for (const request of [...this.#pending.values()]) {
      if (!request.sent) continue;
      request.sent = false;
      if (request.repeat) continue;
      const message = `the connection ended before the answer (${reason}); whether it was done is unknown`;
      this.#settle(request.id, { error: clientError("connection_lost", message) });
    }
  }

  /** All that waits and all that comes fails with `error`, until `unbar`. */
  bar(error: AntiphonError): void {
    this.#barred = error;
    for (const id of [...this.#pending.keys()]) this.#settle(id, { error });
  }

  unbar(): void {
    this.#barred = null;
  }

  /** An answer from the wire; false = nobody asked (any more). */
  answer(id: string | number, answer: Answer): boolean {
    return typeof id === "number" && this.#settle(id, answer);
  }

  #transmit(request: Pending): void {
    if (this.#send === null || request.sent) return;
    if (longerThan(this.#limitBytes, request.text)) {
      // sent, it would cost the connection, be repeated over the next one, and so on for ever
      const message = `the message is longer than the ${String(this.#limitBytes)} bytes that the server takes`;
      queueMicrotask(() => this.#settle(request.id, { error: new AntiphonError("too_large", message) }));
      return;
    }
    request.sent = true;
    this.#send(request.text);
  }

  #settle(id: number, answer: Answer): boolean {
    const request = this.#pending.get(id);
    if (request === undefined) return false;
    this.#pending.delete(id);
    request.settle(answer);
    return true;
  }

  #refusal(signal: AbortSignal | undefined): AntiphonError | null {
    if (signal?.aborted === true) return aborted(signal);
    if (this.#barred !== null) return this.#barred;
    if (this.#pending.size < MAX_PENDING) return null;
    return clientError("too_many_requests", `${String(MAX_PENDING)} requests are waiting already`, { retryable: true });
  }
}

function longerThan(limitBytes: number, text: string): boolean {
  if (text.length > limitBytes) return true;
  return text.length * 3 > limitBytes && new TextEncoder().encode(text).length > limitBytes;
}

function aborted(signal: AbortSignal | undefined): AntiphonError {
  return clientError("aborted", "the caller gave up", { cause: signal?.reason });
}
