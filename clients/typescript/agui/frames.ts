/** Server-Sent Events, frame by frame. Plain code: no connection, no clock. */

import { isObject } from "../src/decode.js";
import type { Fields } from "../src/decode.js";
import { clientError } from "../src/errors.js";

export interface SseFrame {
  /** As it came, with the empty line that ends it. */
  readonly text: string;
  /** What its `id:` says; null = it has none. */
  readonly id: string | null;
  /** The event in it; null = it has none: a comment that keeps the connection open. */
  readonly event: Fields | null;
}

/** A frame longer than this is an attack or a fault; the stock client gives up there, too. */
const MAX_CHARS = 10 * 1024 * 1024;

const END = /\r\n\r\n|\n\n|\r\r/;

/** Bytes in, whole frames out; what a cut left behind is dropped with the splitter. */
export class FrameSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** Throws AntiphonError `protocol_error`. */
  push(bytes: Uint8Array): SseFrame[] {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(END);
    this.#rest = parts.pop() ?? "";
    if (this.#rest.length > MAX_CHARS) throw clientError("protocol_error", "the server sent a frame without an end");
    return parts.map(readFrame);
  }
}

function readFrame(text: string): SseFrame {
  let id: string | null = null;
  const data: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith("id:")) id = valueOf(line, 3);
    else if (line.startsWith("data:")) data.push(valueOf(line, 5));
  }
  return { text: `${text}\n\n`, id, event: data.length === 0 ? null : readEvent(data.join("\n")) };
}

/** One space after the colon is not part of the value. */
function valueOf(line: string, from: number): string {
  return line.slice(line.startsWith(" ", from) ? from + 1 : from);
}

function readEvent(json: string): Fields {
  try {
    const event: unknown = JSON.parse(json);
    if (isObject(event)) return event;
  } catch {
    // told below
  }
  throw clientError("protocol_error", "the server sent an event that is no JSON object");
}

/** An event of our own making. */
export function frameOf(event: Fields): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}
