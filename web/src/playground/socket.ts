/** One raw socket and what crosses it. Plain code around a WebSocket; incoming frames enter the state once per frame of the screen. */

import { createStore, type StoreApi } from "zustand/vanilla";

import { type Frame, FrameLog } from "./frames";

export interface PlaygroundState {
  readonly phase: "closed" | "connecting" | "open";
  readonly frames: readonly Frame[];
  readonly paused: boolean; // the list stands still; the frames are kept, within the bound
  readonly total: number; // frames that crossed since the last clearing
}

const now = (): number => performance.timeOrigin + performance.now();

export class PlaygroundSocket {
  readonly state: StoreApi<PlaygroundState> = createStore(() => ({
    phase: "closed",
    frames: [],
    paused: false,
    total: 0,
  }));
  #log = new FrameLog();
  #socket: WebSocket | null = null;
  #pending: { direction: "received"; text: string; timeMs: number }[] = [];
  #total = 0;
  #scheduled = false;

  open(url: URL): void {
    this.#drop();
    this.state.setState({ phase: "connecting" });
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#note(`Connecting to ${url.href}`);
    socket.onopen = () => {
      this.state.setState({ phase: "open" });
      this.#note("Connected");
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    socket.onclose = ({ code, reason, wasClean }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#flush();
      this.#note(closeWords(code, reason, wasClean));
      this.state.setState({ phase: "closed" });
    };
  }

  close(): void {
    this.#socket?.close(1000);
  }

  send(text: string): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#flush();
    this.#total++;
    this.#log.add("sent", text, now());
    this.#socket.send(text);
    this.#publish();
  }

  clear(): void {
    this.#pending = [];
    this.#log.clear();
    this.#total = 0;
    this.#publish(true);
  }

  pause(paused: boolean): void {
    this.state.setState({ paused });
    if (!paused) this.#flush();
    this.#publish(!paused);
  }

  /** End it for good, without a word. */
  dispose(): void {
    this.#drop();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #receive(data: unknown): void {
    const text =
      typeof data === "string" ? data : `[binary, ${data instanceof ArrayBuffer ? data.byteLength : "?"} bytes]`;
    this.#total++;
    this.#pending.push({ direction: "received", text, timeMs: now() });
    if (this.#pending.length > 2000) this.#pending.splice(0, 1000);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#log.addAll(this.#pending);
    this.#pending = [];
    this.#publish();
  }

  #note(text: string): void {
    this.#log.add("note", text, now());
    this.#publish();
  }

  #publish(evenPaused = false): void {
    const show = evenPaused || !this.state.getState().paused;
    this.state.setState({ total: this.#total, ...(show ? { frames: this.#log.frames } : {}) });
  }
}

const CODES: Readonly<Record<number, string>> = {
  1000: "normal",
  1001: "going away",
  1003: "unsupported data",
  1005: "no code given",
  1006: "connection lost or refused",
  1007: "invalid UTF-8",
  1008: "policy",
  1009: "message too big",
  1011: "a fault of the server",
  1012: "the server is stopping",
};

export function closeWords(code: number, reason: string, wasClean: boolean): string {
  const known = CODES[code];
  const words = [`Closed, code ${code}${known === undefined ? "" : ` (${known})`}`];
  if (reason !== "") words.push(reason);
  if (!wasClean && code !== 1006) words.push("not closed cleanly");
  return words.join(" · ");
}
