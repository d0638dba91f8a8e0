/** The agents of the server as a value: asked anew over each connection, as another server may have others. */

import { AntiphonError } from "../errors.js";
import type { Live } from "../live.js";
import { Store } from "../store.js";
import type { Readable } from "../types.js";
import type { AgentRow } from "./rows.js";

export interface KnownAgents {
  readonly agents: readonly AgentRow[];
  /** False until the server has told. */
  readonly known: boolean;
  /** Why it did not; null = it did, or will. */
  readonly error: AntiphonError | null;
}

export class AgentStore implements Readable<KnownAgents> {
  readonly #live: Live;
  readonly #store = new Store<KnownAgents>({ agents: [], known: false, error: null });
  #listeners = 0;
  #leave: (() => void) | null = null;
  #asking: AbortController | null = null;

  /** Asks nothing until somebody subscribes. */
  constructor(live: Live) {
    this.#live = live;
  }

  readonly get = (): KnownAgents => this.#store.get();

  readonly subscribe = (listener: () => void): (() => void) => {
    const leave = this.#store.subscribe(listener);
    this.#listeners += 1;
    if (this.#leave === null) {
      this.#leave = this.#live.server.subscribe(() => { this.#ask(); });
      this.#ask();
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
      this.#listeners -= 1;
      // mounted again at once (StrictMode): go on
      queueMicrotask(() => {
        if (this.#listeners === 0) this.#stop();
      });
    };
  };

  #stop(): void {
    this.#leave?.();
    this.#leave = null;
    this.#asking?.abort();
    this.#asking = null;
  }

  #ask(): void {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.#live.agents.list({ signal: asking.signal, timeoutMs: null }).then(
      (agents) => {
        if (this.#asking === asking) this.#store.set({ agents, known: true, error: null });
      },
      (error: unknown) => {
        if (this.#asking === asking && error instanceof AntiphonError) this.#store.set({ ...this.#store.get(), error });
      },
    );
  }
}

const shared = new WeakMap<Live, AgentStore>();

/** The one store of this client. */
export function sharedAgents(live: Live): AgentStore {
  let store = shared.get(live);
  if (store === undefined) shared.set(live, (store = new AgentStore(live)));
  return store;
}
