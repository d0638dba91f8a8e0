import { afterEach, expect, test } from "vitest";
import type { Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { MemoryNetwork } from "./support/memory.js";

const open: Live[] = [];

function start(): { network: MemoryNetwork; live: Live } {
  const network = new MemoryNetwork();
  const live = connect(network.options());
  open.push(live);
  return { network, live };
}

afterEach(() => {
  for (const live of open.splice(0)) live.close();
});

const nothing = (): void => undefined;

test("the state is undefined until known, then follows every patch", async () => {
  const { network, live } = start();
  network.server.patch("s", { op: "add", path: "/a", value: { n: 1 } });
  const state = live.channelState("s");
  expect(state.get()).toBeUndefined();
  const seen: unknown[] = [];
  state.subscribe(() => seen.push(state.get()));
  await network.quiet();
  network.server.patch("s", { op: "replace", path: "/a/n", value: 2 });
  network.server.publish("s", "another event");
  await network.quiet();
  network.server.patch("s", { op: "add", path: "/b", value: 3 });
  await network.quiet();
  expect(seen).toEqual([
    { version: 1, value: { a: { n: 1 } } },
    { version: 2, value: { a: { n: 2 } } },
    { version: 4, value: { a: { n: 2 }, b: 3 } },
  ]);
});

test("a channel without a state has {}", async () => {
  const { network, live } = start();
  const state = live.channelState("s");
  state.subscribe(nothing);
  await network.quiet();
  expect(state.get()).toEqual({ version: 0, value: {} });
});

test("patches missed while away are applied once", async () => {
  const { network, live } = start();
  const state = live.channelState("s");
  state.subscribe(nothing);
  await network.quiet();
  network.drop();
  network.server.patch("s", { op: "add", path: "/list", value: [] });
  network.server.patch("s", { op: "add", path: "/list/-", value: 1 });
  await network.pass(15_000);
  await network.reconnect();
  expect(state.get()).toEqual({ version: 2, value: { list: [1] } });
});

test("a gap or a new life of the store replaces the value", async () => {
  const { network, live } = start();
  const state = live.channelState("s");
  state.subscribe(nothing);
  network.server.patch("s", { op: "add", path: "/old", value: 1 });
  await network.quiet();
  network.drop();
  network.server.patch("s", { op: "add", path: "/new", value: 2 });
  network.server.patch("s", { op: "remove", path: "/old" });
  network.server.trim("s", 4);
  await network.pass(15_000);
  expect(state.get()).toEqual({ version: 3, value: { new: 2 } });
  network.drop();
  network.server.rebirth("e2");
  await network.pass(15_000);
  expect(state.get()).toEqual({ version: 0, value: {} });
});

test("what did not change stays the same object", async () => {
  const { network, live } = start();
  network.server.patch("s", { op: "add", path: "/a", value: {} }, { op: "add", path: "/b", value: {} });
  const state = live.channelState<Record<string, unknown>>("s");
  state.subscribe(nothing);
  await network.quiet();
  const before = state.get()?.value;
  network.server.patch("s", { op: "add", path: "/a/x", value: 1 });
  await network.quiet();
  expect(state.get()?.value["b"]).toBe(before?.["b"]);
  expect(state.get()?.value["a"]).not.toBe(before?.["a"]);
});

test("all who ask share one subscription, which ends with the last", async () => {
  const { network, live } = start();
  const leave = [live.channelState("s").subscribe(nothing), live.channelState("s").subscribe(nothing)];
  expect(live.channelState("s")).toBe(live.channelState("s"));
  await network.quiet();
  expect(network.server.seen).toEqual(["subscribe s"]);
  leave[0]?.();
  leave[0]?.();
  await network.quiet();
  expect(network.session.subscriptions.size).toBe(1);
  leave[1]?.();
  await network.quiet();
  expect(network.session.subscriptions.size).toBe(0);
});

test("who leaves and comes back at once goes on without a new subscription", async () => {
  const { network, live } = start();
  const state = live.channelState("s");
  state.subscribe(nothing)();
  state.subscribe(nothing);
  await network.quiet();
  expect(network.server.seen).toEqual(["subscribe s"]);
});

test("a patch that does not fit is reported and the value fetched anew", async () => {
  const { network, live } = start();
  const state = live.channelState("s");
  state.subscribe(nothing);
  network.server.patch("s", { op: "add", path: "/a", value: 1 });
  await network.quiet();
  network.session.notify("event", { channel: "s", offset: 2, type: "state.patch", data: { ops: [{ op: "remove", path: "/zzz" }] }, time: "t" });
  network.server.log("s").append("s", "note", null);
  await network.quiet();
  expect(live.problem.get()).toMatchObject({ code: "invalid_patch" });
  expect(state.get()).toEqual({ version: 1, value: { a: 1 } });
  network.server.patch("s", { op: "add", path: "/b", value: 2 });
  await network.quiet();
  expect(state.get()).toEqual({ version: 3, value: { a: 1, b: 2 } });
});
