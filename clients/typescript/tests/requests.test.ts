import { afterEach, describe, expect, test } from "vitest";
import type { Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { range } from "./support/collect.js";
import { settle } from "./support/clock.js";
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

function dataOf(network: MemoryNetwork, channel: string): unknown[] {
  return network.server.log(channel).events.map(({ data }) => data);
}

describe("requests", () => {
  test("wait for the connection", async () => {
    const { network, live } = start();
    const asked = live.request("history", { channel: "a" });
    network.server.publish("a", "hi");
    await network.quiet();
    expect(await asked).toMatchObject({ epoch: "e1", head: 1, oldest: 1, events: [{ kind: "event", offset: 1, data: "hi", by: null }] });
  });

  test("fail with the server's word and pointer", async () => {
    const { network, live } = start();
    network.server.refuse.set("publish", { code: "channel_owned", message: "not yours", pointer: "/params/channel" });
    const asked = expect(live.publish("log:x", "line", {})).rejects.toMatchObject({
      name: "AntiphonError",
      code: "channel_owned",
      pointer: "/params/channel",
      retryable: false,
    });
    await network.quiet();
    await asked;
  });

  test("have a deadline, also without a connection", async () => {
    const { network, live } = start();
    network.up = false;
    const asked = expect(live.request("state", { channel: "a" })).rejects.toMatchObject({ code: "timeout", retryable: true });
    await network.clock.advance(30_000);
    await asked;
  });

  test("can be given up", async () => {
    const { live } = start();
    const control = new AbortController();
    const asked = expect(live.request("search", { channel: "a", text: "x" }, { signal: control.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    await settle();
    control.abort();
    await asked;
    await expect(live.request("ping", {}, { signal: control.signal })).rejects.toMatchObject({ code: "aborted" });
  });

  test("an answer of the wrong form is an error of this request only", async () => {
    const { network, live } = start();
    const asked = expect(live.request("search", { channel: "a", text: "x" })).rejects.toMatchObject({ code: "protocol_error" });
    await network.quiet(); // the mini server answers {}
    await asked;
    expect(live.connection.get().phase).toBe("live");
  });

  test("what only reads is repeated over a lost connection, what acts is not", async () => {
    const { network, live } = start();
    await network.quiet();
    network.server.deaf = true;
    const reads = live.request("history", { channel: "a" });
    const acts = expect(live.request("process.restart", { name: "x" })).rejects.toMatchObject({ code: "connection_lost", retryable: false });
    const bare = expect(live.request("publish", { channel: "a", type: "t", data: 1 })).rejects.toMatchObject({ code: "connection_lost" });
    await network.quiet();
    network.server.deaf = false;
    await network.reconnect();
    await acts;
    await bare;
    expect((await reads).head).toBe(0);
  });

  test("what was never sent is not lost", async () => {
    const { network, live } = start();
    await network.quiet();
    network.drop();
    const acts = live.request("process.write", { name: "x", text: "hi" });
    await network.pass(15_000);
    expect(await acts).toEqual({});
  });

  test("what the server would end the connection for is refused here", async () => {
    const { network, live } = start();
    const early = expect(live.publish("a", "note", "x".repeat(1048576))).rejects.toMatchObject({ code: "too_large", retryable: false });
    await network.quiet();
    await early;
    await expect(live.publish("a", "note", "\u20ac".repeat(400_000))).rejects.toMatchObject({ code: "too_large" });
    const fits = live.publish("a", "note", "x".repeat(1_000_000));
    await network.quiet();
    expect((await fits).offset).toBe(1);
  });

  test("are bounded", async () => {
    const { network, live } = start();
    network.up = false;
    const waiting = range(1, 10_000).map(() => live.request("ping", {}).catch(() => "failed"));
    await expect(live.request("ping", {})).rejects.toMatchObject({ code: "too_many_requests", retryable: true });
    live.close();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["failed"]));
  });
});

describe("publish", () => {
  test("is done once though the answer was lost, twice", async () => {
    const { network, live } = start();
    await network.quiet();
    const published = live.publish("a", "note", "once");
    for (let round = 0; round < 2; round++) {
      await settle();
      for (const request of network.current.toServer.splice(0)) network.session.receive(request); // it arrives, the answer does not
      network.drop();
      await network.clock.advance(1000);
      network.step(0);
    }
    await network.quiet();
    expect(await published).toEqual({ epoch: "e1", offset: 1 });
    expect(dataOf(network, "a")).toEqual(["once"]);
  });

  test("keeps the order of the calls over reconnections", async () => {
    const { network, live } = start();
    await network.quiet();
    const all = range(1, 30).map((index) => live.publish("a", "note", index));
    network.step(5);
    network.drop();
    await network.clock.advance(20_000);
    network.step(1);
    network.step(9);
    network.drop();
    await network.pass(15_000);
    expect((await Promise.all(all)).map(({ offset }) => offset)).toEqual(range(1, 30));
    expect(dataOf(network, "a")).toEqual(range(1, 30));
  });

  test("a given key is used as it is", async () => {
    const { network, live } = start();
    const first = live.publish("a", "note", 1, { idempotencyKey: "k" });
    const second = live.publish("a", "note", 1, { idempotencyKey: "k" });
    await network.quiet();
    expect(await first).toEqual(await second);
    expect(dataOf(network, "a")).toEqual([1]);
  });
});
