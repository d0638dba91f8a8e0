/** Whatever the network does: every reader gets every event once and in order, or is told of the gap. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { After, Item, Subscription } from "../src/index.js";
import { connect } from "../src/index.js";
import { range } from "./support/collect.js";
import { MemoryNetwork } from "./support/memory.js";

/** A reader that consumes only when told, and the simplest model of what it may have seen. */
class Watcher {
  readonly items: Item[] = [];
  readonly subscription: Subscription;
  readonly #iterator: AsyncIterator<Item> | null;
  #asking = false;

  constructor(subscription: Subscription, pulls: boolean) {
    this.subscription = subscription;
    this.#iterator = pulls ? subscription[Symbol.asyncIterator]() : null;
    if (!pulls) subscription.on((batch) => this.items.push(...batch));
  }

  /** Takes up to `count` items of those that are there. */
  async read(count: number): Promise<void> {
    for (let taken = 0; taken < count && this.#iterator !== null && !this.#asking; taken++) {
      this.#asking = true;
      void this.#iterator.next().then(({ value, done }) => {
        this.#asking = false;
        if (done !== true) this.items.push(value);
      });
      await Promise.resolve();
      await Promise.resolve();
    }
  }

  /** Offsets accounted for: seen, or inside an announced gap. Throws where the story has a hole or a repetition. */
  account(): { first: number; last: number } {
    const [begin, ...rest] = this.items;
    if (begin?.kind !== "subscribed") throw new Error("the first item is not `subscribed`");
    const refused = rest[0];
    let at = begin.recovered || refused?.kind !== "gap" ? begin.after : refused.from - 1;
    for (const item of rest) {
      if (item.kind === "event") {
        if (item.offset !== at + 1) throw new Error(`${String(item.offset)} after ${String(at)}`);
        at = item.offset;
      } else if (item.kind === "gap") {
        if (item.from !== at + 1 || item.to < item.from) throw new Error(`gap ${String(item.from)} after ${String(at)}`);
        at = item.to;
      } else if (item.kind === "subscribed" && item.after < at) {
        throw new Error("subscribed again before what was seen");
      }
    }
    return { first: begin.after, last: at };
  }
}

type Step =
  | { readonly do: "publish"; readonly count: number }
  | { readonly do: "move"; readonly frames: number }
  | { readonly do: "watch"; readonly after: "start" | "now" | number; readonly pulls: boolean }
  | { readonly do: "read"; readonly watcher: number; readonly count: number }
  | { readonly do: "leave"; readonly watcher: number }
  | { readonly do: "trim"; readonly share: number }
  | { readonly do: "copies"; readonly count: number }
  | { readonly do: "budget"; readonly events: number }
  | { readonly do: "drop" }
  | { readonly do: "wait"; readonly milliseconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("move" as const), frames: fc.integer({ min: 1, max: 25 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("watch" as const),
      after: fc.oneof(fc.constantFrom("start" as const, "now" as const), fc.double({ min: 0, max: 1, noNaN: true })),
      pulls: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), watcher: fc.nat(4), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), watcher: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("copies" as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("budget" as const), events: fc.integer({ min: 1, max: 10 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: "drop" as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), milliseconds: fc.integer({ min: 1, max: 20_000 }) }) },
);

const CHANNEL = "a";

async function play(steps: readonly Step[]): Promise<{ head: number; watchers: Watcher[] }> {
  const network = new MemoryNetwork();
  const live = connect(network.options({ bufferItems: 6 }));
  const watchers: Watcher[] = [];
  const { server } = network;
  const log = server.log(CHANNEL);
  const perform = async (next: Step): Promise<void> => {
    switch (next.do) {
      case "publish":
        for (let count = 0; count < next.count; count++) server.publish(CHANNEL);
        return;
      case "move":
        network.step(next.frames);
        return;
      case "watch": {
        const offset = typeof next.after === "number" ? Math.floor(next.after * log.head) : 0;
        const after: After = typeof next.after === "number" ? { epoch: server.epoch, offset } : next.after;
        watchers.push(new Watcher(live.subscribe(CHANNEL, { after }), next.pulls));
        return;
      }
      case "read":
        await watchers[next.watcher]?.read(next.count);
        return;
      case "leave": {
        const [leaving] = watchers.splice(next.watcher, 1);
        leaving?.subscription.close();
        return;
      }
      case "trim":
        server.trim(CHANNEL, Math.ceil(next.share * log.head));
        return;
      case "copies":
        server.copies = next.count;
        return;
      case "budget":
        for (const session of server.sessions) session.grant(next.events);
        return;
      case "drop":
        if (network.sockets.length > 0) network.drop();
        return;
      case "wait":
        await network.clock.advance(next.milliseconds);
    }
  };
  for (const next of steps) await perform(next);
  // the storm is over: from here on everything must come to rest
  for (let round = 0; round < 40; round++) {
    for (const session of server.sessions) session.grant(Infinity);
    await network.quiet();
    for (const watcher of watchers) await watcher.read(50);
    if (live.connection.get().phase !== "live") await network.clock.advance(1000);
  }
  live.close();
  return { head: log.head, watchers };
}

describe("resume", () => {
  test("every event once, in order, or a gap, for every reader", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), async (steps) => {
        const { head, watchers } = await play([{ do: "wait", milliseconds: 1 }, ...steps]);
        for (const watcher of watchers) expect(watcher.account().last).toBe(head);
      }),
      { numRuns: 150, interruptAfterTimeLimit: 60_000 },
    );
  }, 90_000);

  test("without retention nobody sees a gap", async () => {
    const steps: Step[] = range(1, 12).flatMap((round): Step[] => [
      { do: "publish", count: 7 },
      { do: "watch", after: round % 2 === 0 ? "start" : "now", pulls: round % 3 === 0 },
      { do: "move", frames: round },
      round % 4 === 0 ? { do: "drop" } : { do: "read", watcher: round % 5, count: 5 },
      { do: "wait", milliseconds: 700 },
    ]);
    const { head, watchers } = await play(steps);
    expect(watchers).toHaveLength(12);
    for (const watcher of watchers) {
      expect(watcher.items.filter((item) => item.kind === "gap")).toEqual([]);
      const seen = watcher.items.flatMap((item) => (item.kind === "event" ? [item.offset] : []));
      expect(seen).toEqual(range(watcher.account().first + 1, head));
    }
  });
});
