/** A run that this program owns: what it says goes through the outbox, what concerns it comes from its own channel. */

import { isObject } from "../decode.js";
import type { Fields } from "../decode.js";
import { AntiphonError } from "../errors.js";
import type { Live } from "../live.js";
import type { Methods } from "../methods.js";
import type { Timers } from "../options.js";
import type { PatchOperation } from "../patch.js";
import { guarded } from "../store.js";
import type { LiveEvent, Subscription } from "../types.js";
import { randomKey } from "./ids.js";
import { Outbox, isFatal } from "./outbox.js";
import type { Answer, NewQuestion, OpenRun, OwnedMessage, OwnedRun, OwnedTool } from "./owned.js";
import { Pending } from "./pending.js";
import { given, newRunParams } from "./requests.js";
import type { RunError, RunRow, RunUsage } from "./rows.js";
import type { LogLevel, MessageRole } from "./view.js";

export interface OwnerPort {
  readonly live: Live;
  readonly timers: Timers;
  /** Resolves after a back-off. */
  pause(): Promise<void>;
}

type Opened = Methods["run.open"]["result"];
type Finish = Omit<Methods["run.finish"]["params"], "run_id" | "lease">;

/** Open a run that this program owns, once however often the connection breaks. Throws AntiphonError. */
export async function openRun(port: OwnerPort, wanted: OpenRun): Promise<OwnedRun> {
  const { leaseS, client = "typescript", onProblem, signal } = wanted;
  const pid = (globalThis as { process?: { pid?: number } }).process?.pid;
  const params = { ...newRunParams(wanted, port.timers.now()), lease: randomKey(), client, ...given({ lease_s: leaseS, pid }) };
  const opened = await port.live.request("run.open", params, { timeoutMs: null, ...given({ signal }) });
  return new Owner(port, opened, onProblem);
}

/** The whole life of a run: what `body` returns is its result, what it throws its failure. */
export async function performRun<T>(port: OwnerPort, wanted: OpenRun, body: (run: OwnedRun) => Promise<T>): Promise<T> {
  const run = await openRun(port, wanted);
  let result: T;
  try {
    result = await body(run);
  } catch (error) {
    if (run.signal.aborted) throw await endAborted(run);
    await run.fail(error).catch(() => undefined); // what went wrong first is what the caller must know
    throw error;
  }
  if (run.signal.aborted) throw await endAborted(run);
  const { status, reason } = await run.finish(result);
  if (status === "succeeded") return result;
  throw new AntiphonError("run_cancelled", reason ?? "the run was cancelled");
}

/** Ends a run that was cancelled from outside; what the caller is to be told. */
async function endAborted(run: OwnedRun): Promise<AntiphonError> {
  const why = run.signal.reason as AntiphonError;
  if (why.code === "run_cancelled") {
    await run.cancelled().catch((late: unknown) => {
      if (!(late instanceof AntiphonError)) throw late; // it was cut off already: the outcome is there
    });
  }
  return why;
}

class Owner implements OwnedRun {
  readonly id: string;
  readonly channel: string;
  readonly row: RunRow;
  readonly #port: OwnerPort;
  readonly #lease: string;
  readonly #renewMs: number;
  readonly #outbox: Outbox;
  readonly #questions = new Pending();
  readonly #abort = new AbortController();
  readonly #subscription: Subscription;
  readonly #leaveServer: () => void;
  readonly #onProblem: ((error: AntiphonError) => void) | undefined;
  #timer: unknown = null;
  #renewing = false;
  #problem: AntiphonError | null = null;
  #said = 0;
  #outcome: Promise<RunRow> | null = null;
  #stopped = false;

  constructor(port: OwnerPort, opened: Opened, onProblem: ((error: AntiphonError) => void) | undefined) {
    const { live, timers } = port;
    this.#port = port;
    this.id = opened.run_id;
    this.channel = opened.channel;
    this.row = opened.run;
    this.#lease = opened.lease;
    this.#renewMs = (opened.lease_s * 1000) / 3;
    this.#onProblem = onProblem;
    this.#outbox = new Outbox(randomKey(), {
      send: (events) => live.request("run.emit", { run_id: this.id, lease: this.#lease, events }, { timeoutMs: null }),
      defer: timers.defer,
      pause: () => port.pause(),
      limitChars: () => (live.server.get()?.limits["message_bytes"] ?? 1_048_576) / 4,
      cancelled: (error) => { this.#cancel(error); },
      over: (error) => { this.#over(error); },
      problem: (error) => { this.#tell(error); },
    });
    this.#subscription = live.subscribe(this.channel, { after: "start" });
    this.#watch();
    this.#leaveServer = live.server.subscribe(() => { this.#renewNow(); }); // a new connection must learn whose run this is
    this.#renewLater();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  // ---- saying ----

  message(role: MessageRole = "assistant"): OwnedMessage {
    this.#refuseIfOver();
    const id = this.#newId("m");
    let open = true;
    void this.#say("message.open", { message_id: id, role });
    return {
      id,
      append: (delta) => this.#grow("message.append", { message_id: id }, delta),
      close: (status = this.signal.aborted ? "cancelled" : "completed") => {
        if (!open) return Promise.resolve();
        open = false;
        return this.#say("message.close", { message_id: id, status });
      },
    };
  }

  tool(name: string, args?: unknown, parent?: OwnedMessage): OwnedTool {
    this.#refuseIfOver();
    const id = this.#newId("t");
    const began = this.#port.timers.now();
    let open = true;
    const end = (how: object): Promise<void> => {
      if (!open) return Promise.resolve();
      open = false;
      return this.#say("tool.end", { tool_call_id: id, ...how, duration_ms: Math.max(0, this.#port.timers.now() - began) });
    };
    void this.#say("tool.start", { tool_call_id: id, name, ...given({ parent_message_id: parent?.id }) });
    if (args !== undefined) void this.#grow("tool.args", { tool_call_id: id }, JSON.stringify(args));
    return {
      id,
      args: (delta) => this.#grow("tool.args", { tool_call_id: id }, delta),
      progress: (progress, message) => this.#say("tool.progress", { tool_call_id: id, progress, ...given({ message }) }),
      succeed: (result) => end({ status: "succeeded", result: result ?? null }),
      fail: (error) => end({ status: "failed", error: errorOf(error) }),
      cancel: () => end({ status: "cancelled" }),
    };
  }

  log(text: string, level: LogLevel = "info", logger?: string): Promise<void> {
    return this.#say("log", { level, text, ...given({ logger }) });
  }

  progress(progress: number | null, message?: string): Promise<void> {
    return this.#say("run.progress", { progress, message: message ?? null });
  }

  usage(totals: RunUsage): Promise<void> {
    return this.#say("run.usage", { ...totals });
  }

  patch(operations: readonly PatchOperation[]): Promise<void> {
    return this.#say("state.patch", { ops: operations });
  }

  emit(type: `x.${string}`, data: unknown): Promise<void> {
    return this.#outbox.push(type, frozen(data));
  }

  async flush(): Promise<void> {
    await this.#outbox.flush();
    const problem = this.#problem;
    this.#problem = null;
    if (problem !== null) throw problem;
  }

  async ask<T = unknown>(question: NewQuestion): Promise<Answer<T>> {
    this.#refuseIfOver();
    const { prompt, details, schema, value, timeoutS } = question;
    const options = question.options?.map((option) => (typeof option === "string" ? { value: option } : option));
    const questionId = this.#newId("q");
    const answer = this.#questions.wait(questionId);
    const params = {
      ...given({ kind: question.kind, details, options, schema, value, timeout_s: timeoutS, default: question.default }),
      ...{ run_id: this.id, lease: this.#lease, question_id: questionId, prompt },
    };
    await this.#outbox.flush(); // it stands behind what was said before
    try {
      await this.#insist(() => this.#port.live.request("question.ask", params, { timeoutMs: null, signal: this.signal }));
    } catch (error) {
      this.#questions.refuse(questionId, this.signal.aborted ? (this.signal.reason as AntiphonError) : error);
    }
    return answer as Promise<Answer<T>>;
  }

  // ---- ending ----

  finish(result?: unknown): Promise<RunRow> {
    return this.#finish({ status: "succeeded", result: result ?? null });
  }

  fail(error: unknown): Promise<RunRow> {
    return this.#finish({ status: "failed", error: errorOf(error) });
  }

  cancelled(reason?: string): Promise<RunRow> {
    return this.#finish({ status: "cancelled", ...given({ reason }) });
  }

  /** Twice is once: the first outcome counts. */
  #finish(finish: Finish): Promise<RunRow> {
    this.#outcome ??= this.#conclude(finish);
    return this.#outcome;
  }

  async #conclude(finish: Finish): Promise<RunRow> {
    await this.#outbox.flush();
    const params = { run_id: this.id, lease: this.#lease, ...finish };
    try {
      return (await this.#insist(() => this.#port.live.request("run.finish", params, { timeoutMs: null }))).run;
    } finally {
      this.#stop(new AntiphonError("run_ended", "the run has ended"));
    }
  }

  /** Nothing of ours goes on. */
  #stop(why: AntiphonError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#port.timers.clearTimeout(this.#timer);
    this.#leaveServer();
    this.#subscription.close();
    this.#outbox.end(why);
    this.#questions.refuseAll(why);
  }

  #cancel(error: AntiphonError): void {
    if (this.#stopped || this.signal.aborted) return;
    this.#outbox.cancel();
    this.#questions.refuseAll(error);
    this.#abort.abort(error);
  }

  /** The run is out of our hands. */
  #over(error: AntiphonError): void {
    if (this.#stopped) return;
    this.#stop(error);
    if (!this.signal.aborted) this.#abort.abort(error);
  }

  // ---- hearing ----

  #watch(): void {
    this.#subscription.on(
      (items) => {
        for (const item of items) {
          if (item.kind === "event") this.#hear(item);
          if (item.kind === "gap") void this.#lookAgain();
        }
      },
      (error) => { this.#questions.deafen(error); }, // without the right to read; renewals still tell of a cancel
    );
  }

  #hear(event: LiveEvent): void {
    const data = isObject(event.data) ? event.data : {};
    if (event.type === "run.status" && data["status"] === "cancelling") this.#cancel(cancelError(data));
    if (event.type === "question.answered") this.#questions.answer(data);
    if (event.type === "question.withdrawn") this.#questions.withdraw(data);
    if (this.#outcome !== null) return; // the outcome is ours
    if (event.type === "run.cancelled") {
      this.#cancel(cancelError(data));
      this.#over(cancelError(data));
    }
    if (event.type === "run.lost") this.#over(new AntiphonError("lease_lost", "the run counts as lost"));
  }

  /** Events are gone that may have concerned us. */
  async #lookAgain(): Promise<void> {
    try {
      const { run, questions } = await this.#port.live.request("run.get", { run_id: this.id }, { timeoutMs: null });
      if (run.status === "cancelling") this.#cancel(cancelError({ reason: run.reason }));
      for (const row of questions) {
        if (row.status === "answered") this.#questions.answer({ ...row });
        if (row.status === "withdrawn") this.#questions.withdraw({ ...row });
      }
    } catch (error) {
      if (!(error instanceof AntiphonError)) throw error;
      this.#tell(error);
    }
  }

  // ---- the lease ----

  #renewLater(): void {
    this.#timer = this.#port.timers.setTimeout(() => {
      this.#renewNow();
      this.#renewLater();
    }, this.#renewMs);
  }

  #renewNow(): void {
    if (this.#renewing || this.#stopped) return; // one that waits is sent over the next connection by itself
    this.#renewing = true;
    const params = { run_id: this.id, lease: this.#lease };
    this.#port.live
      .request("run.renew", params, { timeoutMs: null })
      .then(
        ({ status }) => {
          if (status === "cancelling") this.#cancel(cancelError({}));
        },
        (error: unknown) => {
          // a run that is merely being cancelled is still renewed: `run_cancelled` says that it has ended
          if (!(error instanceof AntiphonError) || this.#outcome !== null) return;
          if (isFatal(error) || error.code === "run_cancelled") this.#over(error);
        },
      )
      .finally(() => { this.#renewing = false; });
  }

  // ---- helpers ----

  #say(type: string, data: Record<string, unknown>): Promise<void> {
    return this.#outbox.push(type, frozen(data));
  }

  #grow(type: "message.append" | "tool.args", data: Record<string, unknown>, delta: string): Promise<void> {
    if (!this.signal.aborted) return this.#outbox.grow(type, data, delta);
    const refused: Promise<void> = Promise.reject(this.signal.reason as AntiphonError);
    refused.catch(() => undefined); // who does not await it is not to be ended by it
    return refused;
  }

  /** Again while the server is busy. */
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof AntiphonError) || !error.retryable) throw error;
        await this.#port.pause();
      }
    }
  }

  #refuseIfOver(): void {
    this.signal.throwIfAborted();
    if (this.#outcome !== null) throw new AntiphonError("run_ended", "the run has ended");
  }

  #newId(kind: string): string {
    this.#said += 1;
    return `${kind}${String(this.#said)}-${randomKey().slice(0, 12)}`;
  }

  #tell(error: AntiphonError): void {
    this.#problem ??= error;
    const hear = this.#onProblem;
    if (hear !== undefined) guarded(() => { hear(error); });
  }
}

/** A copy as JSON: what the caller changes later was not said. Throws TypeError for what is no JSON. */
function frozen(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data ?? null)) as unknown;
}

function errorOf(error: unknown): RunError {
  return error instanceof Error ? { message: error.message, type: error.name } : { message: String(error) };
}

function cancelError(data: Fields): AntiphonError {
  const reason = data["reason"];
  return new AntiphonError("run_cancelled", typeof reason === "string" && reason !== "" ? reason : "the run was cancelled");
}
