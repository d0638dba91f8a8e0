/** A clock that the test moves. `defer` is real: it is about turns of the event loop, not about time. */

import type { Timers } from "../../src/index.js";

interface Alarm {
  readonly at: number;
  readonly task: () => void;
}

export class Clock implements Timers {
  #now = 1_000_000;
  #alarms: Alarm[] = [];

  readonly now = (): number => this.#now;

  readonly setTimeout = (task: () => void, delayMs: number): unknown => {
    const alarm = { at: this.#now + delayMs, task };
    this.#alarms.push(alarm);
    return alarm;
  };

  readonly clearTimeout = (handle: unknown): void => {
    this.#alarms = this.#alarms.filter((alarm) => alarm !== handle);
  };

  readonly defer = (task: () => void): void => {
    setImmediate(task);
  };

  /** How many alarms are set. */
  get waiting(): number {
    return this.#alarms.length;
  }

  /** Moves on, ringing what is due in its order; `between` runs before each of them and at the end. */
  async advance(milliseconds: number, between: () => Promise<void> = settle): Promise<void> {
    const until = this.#now + milliseconds;
    for (;;) {
      await between();
      const next = this.#alarms.filter((alarm) => alarm.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.clearTimeout(next);
      next.task();
    }
    this.#now = until;
    await between();
  }
}

/** Lets everything that can happen without time or network happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
