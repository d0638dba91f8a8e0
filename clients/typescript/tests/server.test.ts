/** Against the real server; skipped where there is none. */

import { beforeAll, describe, expect, test } from "vitest";
import type { Item, Live } from "../src/index.js";
import { range } from "./support/collect.js";
import { missing, open, RealServer } from "./support/realServer.js";
import { eventOffsets, take, until, untilLive } from "./support/wait.js";

/** What a listener hears from the start up to offset `last`. */
function heard(live: Live, channel: string, last: number): Promise<Item[]> {
  const found: Item[] = [];
  return new Promise((resolve, reject) => {
    live.subscribe(channel, { after: "start" }).on((items) => {
      found.push(...items);
      if (items.some((item) => item.kind === "event" && item.offset === last)) resolve(found);
    }, reject);
  });
}

describe.skipIf(missing)("the real server", { timeout: 60_000 }, () => {
  let shared = "";

  beforeAll(async () => {
    shared = await new RealServer({ lasts: true }).start();
  }, 60_000);

  test("speaks what the client reads: every request, every item", async () => {
    const live = open(shared);
    await untilLive(live);
    expect(live.server.get()).toMatchObject({ protocol: 1, user: "local" });
    const cursor = await live.publish("news:tea", "speech", { text: "hi" });
    expect(cursor.offset).toBe(1);
    expect(await live.request("ping", {})).toHaveProperty("time");
    expect(await live.request("channel.list", { prefix: "news:" })).toMatchObject({ channels: [{ channel: "news:tea", head: 1, oldest: 1 }] });
    const page = await live.request("history", { channel: "news:tea" });
    expect(page.events).toMatchObject([{ kind: "event", offset: 1, type: "speech", data: { text: "hi" }, by: "local" }]);
    expect(await live.request("search", { channel: "news:tea", text: "hi" })).toMatchObject({ count: 1, complete: true });
    expect(await live.request("state", { channel: "news:tea" })).toMatchObject({ version: 0, value: {} });
    const { connections } = await live.request("connection.list", {});
    expect(connections).toContainEqual(expect.objectContaining({ connection_id: live.server.get()?.connectionId, transport: "websocket" }));
    const items = await take(live.subscribe("news:tea", { after: "start" }), ({ kind }) => kind === "caught_up");
    expect(items.map(({ kind }) => kind)).toEqual(["subscribed", "event", "caught_up"]);
    await expect(live.publish("log:x", "line", {})).rejects.toMatchObject({ code: "channel_owned", retryable: false });
    await expect(live.request("history", { channel: "a b" })).rejects.toMatchObject({ code: "invalid_channel" });
    await expect(take(live.subscribe("a b"), () => false)).rejects.toMatchObject({ code: "invalid_channel" });
    expect(live.connection.get().phase).toBe("live");
  });

  test("a state follows its patches", async () => {
    const live = open(shared);
    const state = live.channelState<Record<string, number>>("board:1");
    state.subscribe(() => undefined);
    expect(await until(state, (value) => value !== undefined)).toEqual({ version: 0, value: {} });
    for (const index of range(1, 50)) {
      const op = index % 5 === 0 ? { op: "remove", path: `/k${String(index - 1)}` } : { op: "add", path: `/k${String(index)}`, value: index };
      void live.publish("board:1", "state.patch", { ops: [op] });
    }
    const final = await until(state, (value) => value?.version === 50);
    const asked = await live.request("state", { channel: "board:1" });
    expect(final?.value).toEqual(asked.value);
    const late = take(live.subscribe("board:1"), () => true);
    expect((await late)[0]).toMatchObject({ kind: "subscribed", after: 50, state: { version: 50, value: asked.value } });
  });

  test("a token opens the door, once per connection; without one the refusal is told", async () => {
    const server = new RealServer();
    server.requireToken("correct-horse-battery-staple");
    const url = await server.start();
    const live = open(url, "correct-horse-battery-staple");
    await untilLive(live);
    expect(live.server.get()?.user).toBe("ann");
    expect(await live.publish("news:tea", "speech", {})).toMatchObject({ offset: 1 });
    await expect(live.publish("other", "speech", {})).rejects.toMatchObject({ code: "forbidden" });
    for (const intruder of [open(url, "wrong"), open(url)]) {
      const state = await until(intruder.connection, ({ phase }) => phase === "refused");
      expect(state).toMatchObject({ phase: "refused", error: { code: "unauthenticated" } });
    }
    await server.kill();
    await until(live.connection, ({ phase }) => phase === "reconnecting");
    await server.start();
    await untilLive(live);
  });

  test("kill -9 while publishing: each event once and in order, for every reader", async () => {
    const server = new RealServer();
    const url = await server.start();
    const writer = open(url);
    const reader = open(url);
    const total = 900;
    const first = heard(reader, "a", total);
    const second = take(reader.subscribe("a", { after: "start" }), (item) => item.kind === "event" && item.offset === total);
    const published: Promise<{ offset: number }>[] = [];
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < total / 3; index++) published.push(writer.publish("a", "note", published.length + 1));
      await published[round * (total / 3) + 40]; // some are acknowledged, the others are in flight
      await server.kill();
      await until(reader.connection, ({ phase }) => phase === "reconnecting");
      await server.start();
      await untilLive(writer);
    }
    const cursors = await Promise.all(published);
    expect(cursors.map(({ offset }) => offset)).toEqual(range(1, total));
    const late = await take(reader.subscribe("a", { after: "start" }), (item) => item.kind === "event" && item.offset === total);
    for (const items of [await first, await second, late]) {
      expect(eventOffsets(items)).toEqual(range(1, total));
      expect(items.flatMap((item) => (item.kind === "event" ? [item.data] : []))).toEqual(range(1, total));
    }
  });
});
