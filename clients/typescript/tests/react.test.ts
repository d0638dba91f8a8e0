// @vitest-environment jsdom
import { act, createElement, StrictMode } from "react";
import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import type { Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LiveProvider, useChannel, useChannelState, useConnection, useLive } from "../react/index.js";
import type { ChannelView } from "../react/index.js";
import type { Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { MemoryNetwork } from "./support/memory.js";

let frames: (() => void)[] = [];
let network: MemoryNetwork;
let live: Live;
let root: Root;

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true, requestAnimationFrame: (run: () => void) => frames.push(run) });
  Object.defineProperty(document, "hidden", { configurable: true, value: false });
  frames = [];
  network = new MemoryNetwork();
  live = connect(network.options());
  root = createRoot(document.createElement("div"));
});

afterEach(() => {
  act(() => { root.unmount(); });
  live.close();
});

async function show(node: ReactNode): Promise<void> {
  act(() => { root.render(createElement(StrictMode, null, createElement(LiveProvider, { live }, node))); });
  await arrive();
}

/** Everything on the wire arrives; no frame is drawn. */
async function arrive(): Promise<void> {
  await act(() => network.quiet());
}

async function frame(): Promise<void> {
  await act(async () => {
    for (const run of frames.splice(0)) run();
    await Promise.resolve();
  });
}

test("useConnection follows the connection", async () => {
  const seen: string[] = [];
  const Probe = (): null => {
    seen.push(useConnection().phase);
    return null;
  };
  await show(createElement(Probe));
  act(() => { network.drop(); });
  expect(seen[0]).toBe("connecting");
  expect(new Set(seen)).toEqual(new Set(["connecting", "live", "reconnecting"]));
});

test("without a provider useLive says what is missing", () => {
  const Probe = (): null => {
    useLive();
    return null;
  };
  const silent = createRoot(document.createElement("div"), { onUncaughtError: () => undefined });
  expect(() => { act(() => { silent.render(createElement(Probe)); }); }).toThrow(/LiveProvider/);
});

test("useChannel keeps the newest events and renders once per frame", async () => {
  const views: ChannelView[] = [];
  const Probe = (): null => {
    views.push(useChannel("a", { after: "start", limit: 10 }));
    return null;
  };
  await show(createElement(Probe));
  await frame();
  expect(views.at(-1)).toMatchObject({ caughtUp: true, events: [] });
  const before = views.length;
  for (let index = 0; index < 500; index++) {
    network.server.publish("a");
    if (index % 100 === 0) await arrive();
  }
  await arrive();
  expect(views.length).toBe(before);
  await frame();
  expect(views.length - before).toBeLessThanOrEqual(2); // StrictMode renders twice
  expect(views.at(-1)?.events.map(({ offset }) => offset)).toEqual([491, 492, 493, 494, 495, 496, 497, 498, 499, 500]);
  expect(views.at(-1)?.dropped).toBe(490);
  expect(network.server.seen).toEqual(["subscribe a"]); // StrictMode's second mount did not subscribe again
});

test("useChannel takes a cursor written anew in each render, and lets go when it leaves", async () => {
  let last: ChannelView | undefined;
  const Probe = (): null => {
    last = useChannel("a", { after: { epoch: "e1", offset: 1 } });
    return null;
  };
  network.server.publish("a", "old");
  network.server.publish("a", "new");
  await show(createElement(Probe));
  await frame();
  expect(last?.events.map(({ data }) => data)).toEqual(["new"]);
  expect(network.server.seen).toEqual(["subscribe a"]);
  await show(null);
  await arrive();
  expect(network.session.subscriptions.size).toBe(0);
});

test("useChannel shows gaps and refusals", async () => {
  let last: ChannelView | undefined;
  const Probe = ({ channel }: { channel: string }): null => {
    last = useChannel(channel, { after: { epoch: "other", offset: 5 } });
    return null;
  };
  network.server.publish("a");
  await show(createElement(Probe, { channel: "a" }));
  await frame();
  expect(last?.gap).toMatchObject({ reason: "new_epoch" });
  expect(last?.events).toHaveLength(1);
  network.server.refuse.set("subscribe", { code: "forbidden", message: "no" });
  await show(createElement(Probe, { channel: "b" }));
  await frame();
  expect(last?.error).toMatchObject({ code: "forbidden" });
});

const nameOf = (value: { name: string }): string => value.name;

test("useChannelState renders only when the selected part changes", async () => {
  let whole = 0;
  const names: (string | undefined)[] = [];
  const Whole = (): null => {
    useChannelState("s");
    whole += 1;
    return null;
  };
  const Name = (): null => {
    names.push(useChannelState("s", nameOf));
    return null;
  };
  network.server.patch("s", { op: "add", path: "/name", value: "tea" });
  await show([createElement(Whole, { key: 1 }), createElement(Name, { key: 2 })]);
  await frame();
  expect(names.at(-1)).toBe("tea");
  const before = { whole, names: names.length };
  network.server.patch("s", { op: "add", path: "/other", value: 1 });
  await arrive();
  await frame();
  expect(whole).toBeGreaterThan(before.whole);
  expect(names.length).toBe(before.names);
  expect(network.server.seen).toEqual(["subscribe s"]);
});

test("useChannelState bears a selector that builds a new object in each render", async () => {
  let last: { upper: string } | undefined;
  const Probe = (): null => {
    last = useChannelState("s", (value: { name: string }) => ({ upper: value.name.toUpperCase() }));
    return null;
  };
  network.server.patch("s", { op: "add", path: "/name", value: "tea" });
  await show(createElement(Probe));
  await frame();
  expect(last).toEqual({ upper: "TEA" });
});
