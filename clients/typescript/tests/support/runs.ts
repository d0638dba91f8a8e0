/** The runs service in small, on a `MiniServer`: one run, its lease, its questions. */

import type { RunEvent, RunRow, RunStatus } from "../../src/index.js";
import type { MiniServer } from "./miniServer.js";
import { Refusal } from "./miniServer.js";

const GROWING = new Set(["message.open", "message.append", "tool.start", "tool.args"]);

export class MiniRun {
  status: RunStatus = "running";
  leaseValid = true;
  /** The events of each `run.emit` that came in, also of those that came twice. */
  readonly batches: RunEvent[][] = [];
  /** Requests about the run, by method. */
  readonly asked: { method: string; params: Record<string, unknown> }[] = [];
  /** Types of events that are refused, with the pointer, if any. */
  readonly poison = new Map<string, string | undefined>();
  id = "";
  readonly #server: MiniServer;
  readonly #keys = new Set<string>();

  constructor(server: MiniServer) {
    this.#server = server;
    this.#answer("run.open", (params) => this.#open(params));
    this.#answer("run.emit", (params) => this.#emit(params["events"] as RunEvent[]));
    this.#answer("run.renew", () => (this.#check(), { lease_s: 15, status: this.status }));
    this.#answer("run.finish", (params) => this.#finish(params));
    this.#answer("question.ask", (params) => {
      this.#check();
      if (this.status === "cancelling") throw new Refusal({ code: "run_cancelled" });
      this.say("question.asked", { question_id: params["question_id"], kind: params["kind"], prompt: params["prompt"] });
      return { question_id: params["question_id"], deadline: null };
    });
  }

  get channel(): string {
    return `run:${this.id}`;
  }

  get row(): RunRow {
    return { run_id: this.id, name: "tea", status: this.status, reason: null } as RunRow;
  }

  /** Types and data of what the run's channel holds, without the service's own words. */
  get said(): [string, unknown][] {
    return this.#server.log(this.channel).events.flatMap(({ type, data }): [string, unknown][] =>
      type.startsWith("run.") || type.startsWith("question.") ? [] : [[type, data]],
    );
  }

  /** What a message says, by its role. */
  text(): string {
    return this.said.map(([type, data]) => (type === "message.append" ? (data as { delta: string }).delta : "")).join("");
  }

  say(type: string, data: object): void {
    this.#server.publish(this.channel, data, type);
  }

  /** Somebody cancels it. `told`: its channel says so. */
  cancel(told = true): void {
    this.status = "cancelling";
    if (told) this.say("run.status", { status: "cancelling", reason: "too slow", by: "ann" });
  }

  #answer(method: string, answer: (params: Record<string, unknown>) => unknown): void {
    this.#server.answers.set(method, (params) => {
      this.asked.push({ method, params });
      return answer(params);
    });
  }

  #open(params: Record<string, unknown>): unknown {
    if (this.id === "") {
      this.id = params["run_id"] as string;
      this.say("run.started", { run_id: this.id, name: params["name"], input: params["input"] });
    }
    return { run_id: this.id, channel: this.channel, epoch: this.#server.epoch, lease: params["lease"], lease_s: 15, run: this.row };
  }

  #emit(events: RunEvent[]): unknown {
    this.#check();
    this.batches.push(events);
    const fresh = events.filter(({ idempotency_key: key }) => key === undefined || !this.#keys.has(key));
    for (const { type } of fresh) {
      if (this.status === "cancelling" && GROWING.has(type)) throw new Refusal({ code: "run_cancelled" });
      if (!this.poison.has(type)) continue;
      const pointer = this.poison.get(type);
      const place = `/params/events/${String(events.findIndex((event) => event.type === type))}`;
      throw new Refusal({ code: "invalid_params", ...(pointer === undefined ? {} : { pointer: `${place}${pointer}` }) });
    }
    for (const { type, data, idempotency_key: key } of fresh) {
      if (key !== undefined) this.#keys.add(key);
      this.say(type, data as object);
    }
    return { epoch: this.#server.epoch, offset: this.#server.log(this.channel).head };
  }

  #finish(params: Record<string, unknown>): unknown {
    if (!["running", "cancelling"].includes(this.status)) return { run: this.row };
    this.#check();
    this.status = this.status === "cancelling" ? "cancelled" : (params["status"] as RunStatus);
    this.say(`run.${this.status}`, params);
    return { run: this.row };
  }

  #check(): void {
    if (!this.leaseValid) throw new Refusal({ code: "lease_lost" });
  }
}
