/**
 * From the events of `run:ID` to a `RunView`. Plain code: no connection, no clock.
 *
 * A batch makes one new view; within it an item is copied at its first change only, so a token costs a concatenation. Where
 * events are gone (a gap, a log that was trimmed, a start from now) the snapshot that came instead replaces the state and
 * the texts of open messages, and a `gap` item says so.
 */

import { isObject } from "../decode.js";
import type { Fields } from "../decode.js";
import { AntiphonError } from "../errors.js";
import { applyPatch } from "../patch.js";
import type { PatchOperation } from "../patch.js";
import type { ChannelState, Gap, Item, LiveEvent, OpenMessage, Subscribed } from "../types.js";
import { isEnded } from "./rows.js";
import type { QuestionRow } from "./rows.js";
import { Timeline } from "./timeline.js";
import type { Mutable } from "./timeline.js";
import { emptyRun } from "./view.js";
import type { RunView } from "./view.js";
import { addUsage, answeredRow, askedRow, saidError, saidLabels, saidLevel, saidNumber, saidStatus, saidText, withdrawnRow } from "./words.js";

/** The view after `items`, up to and with offset `upTo`. Throws AntiphonError `invalid_patch`. */
export function foldRun(before: RunView, items: readonly Item[], upTo = Infinity): RunView {
  return new RunFolder(before).take(items, upTo);
}

/** The same for those who fold batch after batch. */
export class RunFolder {
  #view: RunView;
  #draft: Mutable<RunView>;
  #timeline: Timeline;
  /** Patches of this batch that are still to be applied. */
  #operations: PatchOperation[] = [];
  #version = 0;

  constructor(view: RunView) {
    this.#view = view;
    this.#draft = view;
    this.#timeline = new Timeline(view.items);
  }

  get view(): RunView {
    return this.#view;
  }

  /** Folds a batch in; what the server never sends leaves no trace. Throws AntiphonError `invalid_patch`; then nothing was done. */
  take(items: readonly Item[], upTo = Infinity): RunView {
    this.#draft = { ...this.#view };
    let news = false;
    this.#timeline.begin();
    try {
      for (const item of items) {
        if (item.kind === "event" && item.offset > upTo) break;
        news = this.#item(item) || news;
      }
      this.#settleState();
    } catch (error) {
      this.#operations = [];
      this.#timeline = new Timeline(this.#view.items);
      throw error;
    }
    this.#draft.items = this.#timeline.items;
    if (news) this.#view = this.#draft;
    return this.#view;
  }

  /** Whether it told anything. */
  #item(item: Item): boolean {
    if (item.kind === "gap") return this.#gap(item);
    if (item.kind === "subscribed") return this.#subscribed(item);
    if (item.kind === "caught_up" || item.offset <= this.#draft.lastOffset) return false;
    this.#draft.lastOffset = item.offset;
    this.#event(item);
    return true;
  }

  // ---- where events are missing ----

  /** With `recovered: false` the gap that follows says everything. */
  #subscribed(item: Subscribed): boolean {
    if (!item.recovered || item.after <= this.#draft.lastOffset) return false;
    const reason = item.after >= item.oldest ? "skipped" : "retention";
    this.#miss(this.#draft.lastOffset + 1, item.after, reason, item);
    return true;
  }

  #gap(gap: Gap): boolean {
    const anew = gap.reason === "new_epoch" || gap.reason === "beyond_head";
    if (anew) {
      this.#operations = [];
      this.#draft = { ...emptyRun(this.#draft.runId) };
      this.#timeline = new Timeline([]);
    } else if (gap.to <= this.#draft.lastOffset) {
      return false;
    }
    this.#miss(anew ? 1 : gap.from, gap.to, gap.reason, gap);
    return true;
  }

  #miss(from: number, to: number, reason: string, instead: { state?: ChannelState; messages?: readonly OpenMessage[] }): void {
    this.#operations = [];
    this.#draft.lastOffset = to;
    if (to >= from) this.#timeline.add({ kind: "gap", key: `gap ${String(to)}`, at: null, offset: to, from, to, reason });
    this.#draft.state = instead.state?.value ?? {};
    this.#draft.stateVersion = instead.state?.version ?? 0;
    this.#openMessages(instead.messages ?? [], to);
  }

  #openMessages(messages: readonly OpenMessage[], offset: number): void {
    const open = new Set(messages.map(({ messageId }) => messageId));
    this.#timeline.editAll(
      (item) => item.kind === "message" && item.status === "open" && !open.has(item.id),
      (item) => { Object.assign(item, { status: "unknown" }); },
    );
    for (const { messageId, role, text } of messages) {
      const known = this.#timeline.edit("message", messageId);
      if (known?.status === "open") known.text = text;
      else this.#addMessage(messageId, role, text, null, offset);
    }
  }

  // ---- events ----

  #event(event: LiveEvent): void {
    const data = isObject(event.data) ? event.data : {};
    switch (event.type) {
      case "run.started":
        this.#started(event, data);
        return;
      case "run.status":
        this.#status(event, data);
        return;
      case "run.progress":
        this.#draft.progress = saidNumber(data, "progress");
        this.#draft.progressMessage = saidText(data, "message");
        return;
      case "run.usage":
        this.#draft.usage = addUsage(this.#draft.usage, data);
        return;
      case "run.child":
        this.#child(event, data);
        return;
      case "run.succeeded":
      case "run.failed":
      case "run.cancelled":
      case "run.lost":
        this.#ended(event, data);
        return;
      case "state.patch":
        this.#patch(event, data);
        return;
      case "log":
        this.#log(event, data);
        return;
      default:
        this.#eventOfFamily(event, data);
    }
  }

  #eventOfFamily(event: LiveEvent, data: Fields): void {
    const { type } = event;
    if (type.startsWith("message.")) this.#message(event, data);
    else if (type.startsWith("tool.")) this.#tool(event, data);
    else if (type.startsWith("question.")) this.#question(event, data);
    else if (type.startsWith("x.")) {
      const { offset, time, by } = event;
      this.#timeline.add({ kind: "custom", key: `custom ${String(offset)}`, at: time, offset, type, data: event.data, by });
    } // others are words of a newer server
  }

  #started(event: LiveEvent, data: Fields): void {
    Object.assign(this.#draft, {
      name: saidText(data, "name"),
      title: saidText(data, "title"),
      threadId: saidText(data, "thread_id"),
      parentRunId: saidText(data, "parent_run_id"),
      input: data["input"] ?? null,
      labels: saidLabels(data),
      by: saidText(data, "by") ?? event.by,
      status: saidStatus(data) ?? "running",
      startedAt: event.time,
    } satisfies Partial<RunView>);
  }

  #status(event: LiveEvent, data: Fields): void {
    const status = saidStatus(data);
    if (status === null) return;
    this.#draft.status = status;
    this.#draft.reason = saidText(data, "reason");
    if (status === "cancelling") this.#draft.cancelledBy = saidText(data, "by") ?? event.by;
  }

  #ended(event: LiveEvent, data: Fields): void {
    const draft = this.#draft;
    const status = saidStatus({ status: event.type.slice("run.".length) });
    draft.status = status;
    draft.endedAt = event.time;
    draft.reason = saidText(data, "reason");
    if (status === "succeeded") draft.result = data["result"] ?? null;
    if (status === "failed") draft.error = saidError(data);
    if (status === "cancelled") draft.cancelledBy = saidText(data, "by") ?? draft.cancelledBy;
    this.#closeRest(event.time);
  }

  /** The server closes all that is open before the outcome; what still looks open ended where events are missing. */
  #closeRest(time: string): void {
    this.#timeline.editAll(
      (item) => (item.kind === "message" && item.status === "open") || (item.kind === "tool" && item.status === "running"),
      (item) => { Object.assign(item, { status: "unknown" }); },
    );
    for (const { question_id } of this.#draft.openQuestions) {
      const item = this.#timeline.edit("question", question_id);
      if (item !== undefined) item.question = withdrawnRow(item.question, "the run ended", time);
    }
    if (this.#draft.openQuestions.length > 0) this.#draft.openQuestions = [];
  }

  #child(event: LiveEvent, data: Fields): void {
    const runId = saidText(data, "run_id");
    const status = saidStatus(data) ?? "running";
    if (runId === null) return;
    const endedAt = isEnded(status) ? event.time : null;
    const known = this.#timeline.edit("child", runId);
    if (known !== undefined) {
      known.status = status;
      known.endedAt = endedAt;
      return;
    }
    const name = saidText(data, "name") ?? "";
    this.#timeline.add({ kind: "child", key: `child ${runId}`, at: event.time, offset: event.offset, runId, name, status, endedAt });
  }

  #log({ offset, time: at }: LiveEvent, data: Fields): void {
    const said = { level: saidLevel(data), text: saidText(data, "text") ?? "", logger: saidText(data, "logger") };
    this.#timeline.add({ kind: "log", key: `log ${String(offset)}`, at, offset, ...said });
  }

  #message(event: LiveEvent, data: Fields): void {
    const id = saidText(data, "message_id");
    if (id === null) return;
    if (event.type === "message.open") {
      this.#addMessage(id, saidText(data, "role") ?? "assistant", "", event.time, event.offset);
      return;
    }
    if (!this.#timeline.has(`message ${id}`)) this.#addMessage(id, "assistant", "", null, event.offset);
    const message = this.#timeline.edit("message", id);
    if (message === undefined) return;
    if (event.type === "message.append") message.text += saidText(data, "delta") ?? "";
    if (event.type === "message.close") {
      const status = data["status"];
      message.status = status === "cancelled" || status === "failed" ? status : "completed";
    }
  }

  #addMessage(id: string, role: string, text: string, at: string | null, offset: number): void {
    this.#timeline.add({ kind: "message", key: this.#key("message", id, offset), at, offset, id, role, text, status: "open" });
  }

  #tool(event: LiveEvent, data: Fields): void {
    const id = saidText(data, "tool_call_id");
    if (id === null) return;
    if (event.type === "tool.start" || !this.#timeline.has(`tool ${id}`)) this.#addTool(id, event, data);
    const tool = this.#timeline.edit("tool", id);
    if (tool === undefined) return;
    if (event.type === "tool.args") {
      tool.argumentsText += saidText(data, "delta") ?? "";
    } else if (event.type === "tool.progress") {
      tool.progress = saidNumber(data, "progress") ?? tool.progress;
      tool.message = saidText(data, "message") ?? tool.message;
    } else if (event.type === "tool.end") {
      const status = data["status"];
      tool.status = status === "failed" || status === "cancelled" ? status : "succeeded";
      tool.result = data["result"] ?? null;
      tool.error = saidError(data);
      tool.durationMs = saidNumber(data, "duration_ms");
    }
  }

  #addTool(id: string, event: LiveEvent, data: Fields): void {
    this.#timeline.add({
      kind: "tool",
      key: this.#key("tool", id, event.offset),
      at: event.time,
      offset: event.offset,
      id,
      name: saidText(data, "name") ?? "",
      parentMessageId: saidText(data, "parent_message_id"),
      argumentsText: "",
      status: "running",
      progress: null,
      message: null,
      result: null,
      error: null,
      durationMs: null,
    });
  }

  #question(event: LiveEvent, data: Fields): void {
    const id = saidText(data, "question_id");
    if (id === null) return;
    if (event.type === "question.asked") {
      const question = askedRow(data, this.#draft, event.time);
      this.#timeline.add({ kind: "question", key: this.#key("question", id, event.offset), at: event.time, offset: event.offset, id, question });
      this.#draft.openQuestions = [...this.#draft.openQuestions, question];
      return;
    }
    const item = this.#timeline.edit("question", id);
    if (item === undefined) return;
    item.question = ended(item.question, event, data);
    this.#draft.openQuestions = this.#draft.openQuestions.filter(({ question_id }) => question_id !== id);
  }

  /** An id that comes back after its first item was closed is another item. */
  #key(kind: "message" | "tool" | "question", id: string, offset: number): string {
    return this.#timeline.has(`${kind} ${id}`) ? `${kind} ${id} ${String(offset)}` : `${kind} ${id}`;
  }

  // ---- the application's state ----

  #patch(event: LiveEvent, data: Fields): void {
    if (!Array.isArray(data["ops"])) throw new AntiphonError("invalid_patch", "a state.patch without ops");
    if (event.offset <= this.#draft.stateVersion) return;
    this.#operations.push(...(data["ops"] as PatchOperation[]));
    this.#version = event.offset;
  }

  #settleState(): void {
    if (this.#operations.length === 0) return;
    this.#draft.state = applyPatch(this.#draft.state, this.#operations);
    this.#draft.stateVersion = this.#version;
    this.#operations = [];
  }
}

function ended(row: QuestionRow, event: LiveEvent, data: Fields): QuestionRow {
  if (event.type === "question.answered") return answeredRow(row, data, event.time);
  return withdrawnRow(row, saidText(data, "reason"), event.time);
}
