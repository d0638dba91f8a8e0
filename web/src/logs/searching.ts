/** The state of the search box: what is asked, how far the answer is, which hit is chosen. Knows no React. */

import { createStore, type StoreApi } from "zustand/vanilla";

import type { Progress, Query, SearchRequest } from "./search";
import { NOTHING_YET, searchLog } from "./search";

export interface SearchState {
  readonly text: string;
  readonly ignoreCase: boolean;
  readonly phase: "idle" | "running" | "done" | "failed";
  readonly progress: Progress;
  readonly head: number; // the head when the search began: what "scanned N of M" counts to
  readonly active: number | null; // index of the chosen hit
  readonly error: Error | null;
}

const IDLE: SearchState = {
  text: "",
  ignoreCase: true,
  phase: "idle",
  progress: NOTHING_YET,
  head: 0,
  active: null,
  error: null,
};

export class Searching {
  readonly state: StoreApi<SearchState> = createStore(() => IDLE);
  #request: SearchRequest;
  #channel: string;
  #running = new AbortController();

  constructor(request: SearchRequest, channel: string) {
    this.#request = request;
    this.#channel = channel;
  }

  /** Change what is typed, without asking yet. */
  type(text: string): void {
    this.state.setState({ text });
  }

  /** Ask for the typed text; an empty one ends the search. */
  async run(head: number): Promise<void> {
    this.stop();
    const { text, ignoreCase } = this.state.getState();
    const phase = text === "" ? "idle" : "running";
    this.state.setState({ phase, progress: NOTHING_YET, head, active: null, error: null });
    if (phase === "idle") return;
    const { signal } = this.#running;
    const query: Query = { channel: this.#channel, text, ignoreCase };
    try {
      for await (const progress of searchLog(this.#request, query, signal)) this.state.setState({ progress });
      if (!signal.aborted) this.state.setState({ phase: "done" });
    } catch (error) {
      if (!signal.aborted)
        this.state.setState({ phase: "failed", error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  setIgnoreCase(ignoreCase: boolean): void {
    this.state.setState({ ignoreCase });
  }

  /** Choose a hit by its index; returns the offset to jump to, null if there is none. */
  choose(index: number): number | null {
    const hit = this.state.getState().progress.hits[index];
    if (hit === undefined) return null;
    this.state.setState({ active: index });
    return hit.offset;
  }

  /** The next older hit (`1`) or newer one (`-1`), round the end. */
  step(direction: 1 | -1): number | null {
    const { active, progress } = this.state.getState();
    const many = progress.hits.length;
    if (many === 0) return null;
    const next = active === null ? (direction === 1 ? 0 : many - 1) : (active + direction + many) % many;
    return this.choose(next);
  }

  /** End a running search; what was found stays. */
  stop(): void {
    this.#running.abort();
    this.#running = new AbortController();
    if (this.state.getState().phase === "running") this.state.setState({ phase: "done" });
  }

  clear(): void {
    this.#running.abort();
    this.#running = new AbortController();
    const { ignoreCase } = this.state.getState();
    this.state.setState({ ...IDLE, ignoreCase });
  }
}
