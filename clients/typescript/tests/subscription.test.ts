import { afterEach, describe, expect, test } from "vitest";
import type { Item, Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { brief, collect, offsets, range } from "./support/collect.js";
import { MemoryNetwork } from "./support/memory.js";

const open: Live[] = [];

function start(options = {}): { network: MemoryNetwork; live: Live } {
  const network = new MemoryNetwork();
  const live = connect(network.options(options));
  open.push(live);
  return { network, live };
}

afterEach(() => {
  for (const live of open.splice(0)) live.close();
});

describe("one reader", () => {
  test("gets the reply, the missed events, caught_up and what comes", async () => {
    const { network, live } = start();
    network.server.publish("a");
    network.server.publish("a");
    const found = collect(live.subscribe("a", { after: "start" }));
    await network.quiet();
    network.server.publish("a");
    await network.quiet();
    expect(found).toEqual(["subscribed after 0", "1", "2", "caught up", "3"]);
  });

  test("begins now unless told otherwise", async () => {
    const { network, live } = start();
    network.server.publish("a");
    const found = collect(live.subscribe("a"));
    await network.quiet();
    network.server.publish("a");
    await network.quiet();
    expect(found).toEqual(["subscribed after 1", "caught up", "2"]);
  });

  test("resumes from its cursor after a drop", async () => {
    const { network, live } = start();
    const subscription = live.subscribe("a", { after: "start" });
    const found = collect(subscription);
    network.server.publish("a");
    await network.quiet();
    network.drop();
    network.server.publish("a");
    await network.pass(15_000);
    expect(found).toEqual(["subscribed after 0", "1", "caught up", "subscribed after 1", "2", "caught up"]);
    expect(subscription.cursor).toEqual({ epoch: "e1", offset: 2 });
  });

  test("drops what is sent twice", async () => {
    const { network, live } = start();
    network.server.copies = 2;
    const found = collect(live.subscribe("a", { after: "start" }));
    await network.quiet();
    for (let index = 0; index < 5; index++) network.server.publish("a");
    await network.quiet();
    expect(offsets(found)).toEqual(range(1, 5));
  });

  test("a hole in the offsets ends the connection, and the event is asked for again", async () => {
    const { network, live } = start();
    const found = collect(live.subscribe("a", { after: "start" }));
    await network.quiet();
    network.server.publish("a");
    network.server.publish("a");
    network.current.toClient.shift(); // event 1 is lost by a faulty proxy
    await network.quiet();
    expect(live.connection.get()).toMatchObject({ phase: "reconnecting", reason: expect.stringContaining("went on with 2") as string });
    await network.pass(15_000);
    expect(offsets(found)).toEqual([1, 2]);
  });

  test("events below the oldest kept are announced as a gap", async () => {
    const { network, live } = start();
    network.server.budget = 2;
    const found = collect(live.subscribe("a", { after: "start" }));
    await network.quiet();
    for (let index = 0; index < 6; index++) network.server.publish("a");
    network.server.trim("a", 5);
    network.session.grant(100);
    await network.quiet();
    expect(found).toEqual(["subscribed after 0", "caught up", "1", "2", "gap 3-4 retention", "5", "6"]);
  });

  test("a cursor that was trimmed away meanwhile becomes a gap", async () => {
    const { network, live } = start();
    const found = collect(live.subscribe("a", { after: "start" }));
    network.server.publish("a");
    await network.quiet();
    network.drop();
    for (let index = 0; index < 4; index++) network.server.publish("a");
    network.server.trim("a", 4);
    await network.pass(15_000);
    expect(found.slice(3)).toEqual(["subscribed after 3 (not recovered)", "gap 2-3 retention", "4", "5", "caught up"]);
  });

  test("a new life of the store becomes a gap with the fresh state", async () => {
    const { network, live } = start();
    const items: Item[] = [];
    live.subscribe("a", { after: "start" }).on((batch) => items.push(...batch));
    network.server.publish("a");
    await network.quiet();
    network.drop();
    network.server.rebirth("e2");
    network.server.patch("a", { op: "add", path: "/x", value: 1 });
    await network.pass(15_000);
    const gap = items.find((item) => item.kind === "gap");
    expect(gap).toMatchObject({ epoch: "e2", from: 1, to: 1, reason: "new_epoch", state: { version: 1, value: { x: 1 } } });
    network.server.publish("a");
    await network.quiet();
    expect(items.at(-1)).toMatchObject({ kind: "event", offset: 2 });
  });

  test("a refusal for good ends it; a busy server is asked again", async () => {
    const { network, live } = start();
    network.server.refuse.set("subscribe", { code: "forbidden", message: "no" });
    const refused = collect(live.subscribe("a"));
    await network.quiet();
    expect(refused).toEqual(["error forbidden"]);
    network.server.refuse.set("subscribe", { code: "busy", message: "later", retryable: true });
    const found = collect(live.subscribe("a"));
    await network.quiet();
    expect(found).toEqual([]);
    await network.clock.advance(5000);
    await network.quiet();
    expect(found).toEqual(["subscribed after 0", "caught up"]);
  });

  test("closing unsubscribes and is final", async () => {
    const { network, live } = start();
    const subscription = live.subscribe("a");
    const found = collect(subscription);
    await network.quiet();
    subscription.close();
    subscription.close();
    await network.quiet();
    network.server.publish("a");
    await network.quiet();
    expect(found).toEqual(["subscribed after 0", "caught up"]);
    expect(network.server.seen).toEqual(["subscribe a", "unsubscribe a"]);
  });

  test("an AbortSignal closes it", async () => {
    const { network, live } = start();
    const control = new AbortController();
    const subscription = live.subscribe("a", { signal: control.signal });
    await network.quiet();
    control.abort();
    await network.quiet();
    expect(network.session.subscriptions.size).toBe(0);
    const after = await subscription[Symbol.asyncIterator]().next();
    expect(after.done).toBe(true);
  });

  test("has one consumer", () => {
    const { live } = start();
    const subscription = live.subscribe("a");
    collect(subscription);
    expect(() => subscription[Symbol.asyncIterator]()).toThrow(/has its consumer/);
    expect(() => subscription.on(() => undefined)).toThrow(/has its consumer/);
  });

  test("what is thrown by a listener harms nobody else", async () => {
    const { network, live } = start();
    const thrown: unknown[] = [];
    const report = globalThis.reportError as unknown;
    Object.assign(globalThis, { reportError: (error: unknown) => thrown.push(error) });
    try {
      live.subscribe("a").on(() => {
        throw new Error("mine");
      });
      const found = collect(live.subscribe("b"));
      await network.quiet();
      expect(found).toEqual(["subscribed after 0", "caught up"]);
      expect(thrown.length).toBeGreaterThan(0);
    } finally {
      Object.assign(globalThis, { reportError: report });
    }
  });
});

describe("an iterator", () => {
  test("yields items in order and ends with close", async () => {
    const { network, live } = start();
    const subscription = live.subscribe("a", { after: "start" });
    const found: string[] = [];
    const reading = (async () => {
      for await (const item of subscription) found.push(brief(item));
    })();
    network.server.publish("a");
    await network.quiet();
    network.server.publish("a");
    await network.quiet();
    subscription.close();
    await reading;
    expect(found).toEqual(["subscribed after 0", "1", "caught up", "2"]);
  });

  test("throws the refusal once", async () => {
    const { network, live } = start();
    network.server.refuse.set("subscribe", { code: "forbidden", message: "no" });
    const iterator = live.subscribe("a")[Symbol.asyncIterator]();
    const first = iterator.next();
    const refused = expect(first).rejects.toMatchObject({ code: "forbidden" });
    await network.quiet();
    await refused;
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test("that nobody reads holds a bounded number of items and loses none", async () => {
    const { network, live } = start({ bufferItems: 10 });
    const subscription = live.subscribe("a", { after: "start" });
    const iterator = subscription[Symbol.asyncIterator]();
    await network.quiet();
    for (let index = 0; index < 2000; index++) network.server.publish("a");
    await network.quiet();
    expect(network.session.subscriptions.size).toBe(0); // it stopped receiving
    const seenWhilePaused = network.server.seen.length;
    network.server.publish("a");
    await network.quiet();
    expect(network.server.seen.length).toBe(seenWhilePaused); // and asks for nothing
    const found: number[] = [];
    while (found.length < 2001) {
      const next = iterator.next();
      await network.quiet();
      const item = await next;
      if (item.value?.kind === "event") found.push(item.value.offset);
    }
    expect(found).toEqual(range(1, 2001));
    network.server.publish("a");
    await network.quiet();
    expect(network.session.subscriptions.size).toBe(1); // live again
    expect(await iterator.next()).toMatchObject({ value: { kind: "event", offset: 2002 } });
  });

  test("that is slow does not hold up another reader of the channel", async () => {
    const { network, live } = start({ bufferItems: 10 });
    const slow = live.subscribe("a", { after: "start" })[Symbol.asyncIterator]();
    const found = collect(live.subscribe("a", { after: "start" }));
    await network.quiet();
    for (let index = 0; index < 100; index++) network.server.publish("a");
    await network.quiet();
    expect(offsets(found)).toEqual(range(1, 100));
    const late: number[] = [];
    while (late.length < 100) {
      const next = slow.next();
      await network.quiet();
      const { value } = await next;
      if (value?.kind === "event") late.push(value.offset);
    }
    expect(late).toEqual(range(1, 100));
  });
});

describe("several readers of one channel", () => {
  test("share one wire subscription", async () => {
    const { network, live } = start();
    const first = collect(live.subscribe("a"));
    const second = collect(live.subscribe("a"));
    await network.quiet();
    network.server.publish("a");
    await network.quiet();
    expect(offsets(first)).toEqual([1]);
    expect(offsets(second)).toEqual([1]);
    expect(network.session.subscriptions.size).toBe(1);
  });

  test("a newcomer that begins at the start reads the past without rewinding the first", async () => {
    const { network, live } = start();
    for (let index = 0; index < 1200; index++) network.server.publish("a");
    const first = collect(live.subscribe("a"));
    await network.quiet();
    const second = collect(live.subscribe("a", { after: "start" }));
    await network.quiet();
    network.server.publish("a");
    await network.quiet();
    expect(first).toEqual(["subscribed after 1200", "caught up", "1201"]);
    expect(second).toEqual(["subscribed after 0", ...range(1, 1200).map(String), "caught up", "1201"]);
    expect(network.session.subscriptions.size).toBe(1);
  });

  test("a newcomer gets the state as of its own beginning", async () => {
    const { network, live } = start();
    const first = collect(live.subscribe("a"));
    await network.quiet();
    network.server.patch("a", { op: "add", path: "/x", value: 1 });
    await network.quiet();
    const items: Item[] = [];
    live.subscribe("a").on((batch) => items.push(...batch));
    await network.quiet();
    expect(items[0]).toMatchObject({ kind: "subscribed", after: 1, state: { version: 1, value: { x: 1 } } });
    expect(first).toEqual(["subscribed after 0", "caught up", "1"]);
  });

  test("events published while a newcomer is served reach everybody once", async () => {
    const { network, live } = start();
    const first = collect(live.subscribe("a"));
    await network.quiet();
    const second = collect(live.subscribe("a"));
    for (let index = 0; index < 20; index++) {
      network.server.publish("a");
      await network.clock.advance(0);
      network.step(1);
    }
    await network.quiet();
    expect(offsets(first)).toEqual(range(1, 20));
    const begin = Number(second[0]?.replace("subscribed after ", ""));
    expect(offsets(second)).toEqual(range(begin + 1, 20));
  });

  test("when one leaves the others go on", async () => {
    const { network, live } = start();
    const leaving = live.subscribe("a");
    collect(leaving);
    const found = collect(live.subscribe("a"));
    await network.quiet();
    leaving.close();
    network.server.publish("a");
    await network.quiet();
    expect(offsets(found)).toEqual([1]);
  });
});
