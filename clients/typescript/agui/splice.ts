/**
 * Makes one stream of AG-UI events out of the pieces that broken connections leave. Plain code: no connection, no clock.
 *
 * A piece that was asked for with the id of the last frame goes on exactly there, and passes as it is. Where the server could
 * not go on there it begins anew, with RUN_STARTED, a snapshot of the messages, and a start for each that is still open: then
 * all that the reader has open is ended first, so that for the reader, too, it is one run and every rule of the protocol holds.
 */

import { isObject } from "../src/decode.js";
import type { Fields } from "../src/decode.js";
import type { SseFrame } from "./frames.js";
import { frameOf } from "./frames.js";

/** What is opened by an event, by which field it is known, and what ends it. */
const OPENERS: Readonly<Record<string, readonly [field: string, end: string]>> = {
  TEXT_MESSAGE_START: ["messageId", "TEXT_MESSAGE_END"],
  REASONING_START: ["messageId", "REASONING_END"],
  REASONING_MESSAGE_START: ["messageId", "REASONING_MESSAGE_END"],
  TOOL_CALL_START: ["toolCallId", "TOOL_CALL_END"],
  STEP_STARTED: ["stepName", "STEP_FINISHED"],
};

const CLOSERS: Readonly<Record<string, string>> = Object.fromEntries(Object.values(OPENERS).map(([field, end]) => [end, field]));

export class Splice {
  /** For `Last-Event-ID`; null = nothing was received, or it is of no use any more. */
  lastId: string | null = null;
  /** The run that is told about; null until it began. */
  runId: string | null = null;
  /** The same in the server's words; null = it did not say. */
  serverRunId: string | null = null;
  /** The outcome has been told. */
  finished = false;
  /** By the event that would end it, in the order in which they were opened. */
  readonly #open = new Map<string, Fields>();

  /** What the reader is to get for this frame; null = the piece ends here, and the next is asked for. */
  take(frame: SseFrame): string | null {
    const { event } = frame;
    if (event === null) return "";
    if (event["type"] === "RUN_ERROR" && this.#isOfTheServer(event)) return null;
    if (frame.id !== null) this.lastId = frame.id;
    if (event["type"] === "RUN_STARTED") return this.#started(event, frame.text);
    this.#follow(event);
    return frame.text;
  }

  /** Says about the connection, not about the run: the server is going, or it has lost what was to come next. */
  #isOfTheServer({ code }: Fields): boolean {
    if (code === "antiphon.gap") this.lastId = null;
    return code === "antiphon.gap" || code === "antiphon.goodbye";
  }

  #started(event: Fields, text: string): string {
    const known = this.runId !== null && !this.finished;
    this.finished = false;
    if (typeof event["runId"] === "string") this.runId = event["runId"];
    this.serverRunId = serverRunIdOf(event) ?? this.serverRunId;
    if (!known) return text;
    const ends = [...this.#open.values()].reverse().map(frameOf);
    this.#open.clear();
    return ends.join("");
  }

  #follow(event: Fields): void {
    const type = String(event["type"]);
    const opener = OPENERS[type];
    if (opener !== undefined) {
      const [field, end] = opener;
      this.#open.set(`${end} ${String(event[field])}`, { type: end, [field]: event[field] });
      return;
    }
    const closer = CLOSERS[type];
    if (closer !== undefined) this.#open.delete(`${type} ${String(event[closer])}`);
    if (type === "RUN_FINISHED" || type === "RUN_ERROR") this.finished = true;
  }
}

function serverRunIdOf({ metadata }: Fields): string | null {
  const said = isObject(metadata) ? metadata["antiphon"] : null;
  return isObject(said) && typeof said["run_id"] === "string" ? said["run_id"] : null;
}
