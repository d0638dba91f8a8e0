/** Over real sockets, with a small server of our own. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { range } from "./support/collect.js";
import { MiniServer } from "./support/miniServer.js";
import { eventOffsets, take, until, untilLive } from "./support/wait.js";

const ending: (() => void)[] = [];

afterEach(() => {
  for (const end of ending.splice(0)) end();
});

async function listen(mini: MiniServer, port = 0): Promise<{ url: string; port: number; sockets: WebSocketServer; kill: () => Promise<void> }> {
  const sockets = new WebSocketServer({ port, host: "127.0.0.1" });
  sockets.on("connection", (socket) => {
    const session = mini.accept({ send: (text) => { socket.send(text); }, close: (code, reason) => { socket.close(code, reason); } });
    socket.on("message", (data: Buffer) => { session.receive(data.toString()); });
    socket.on("close", () => { session.gone(); });
  });
  await once(sockets, "listening");
  const kill = async (): Promise<void> => {
    for (const socket of sockets.clients) socket.terminate();
    const closed = once(sockets, "close");
    sockets.close();
    await closed;
  };
  ending.push(() => { void kill().catch(() => undefined); });
  const { port: bound } = sockets.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${String(bound)}/live`, port: bound, sockets, kill };
}

function open(url: string): Live {
  const live = connect({ url, WebSocket, backoff: { baseMs: 1, capMs: 20 } });
  ending.push(() => { live.close(); });
  return live;
}

test("a reader survives dropped sockets while events go on", async () => {
  const mini = new MiniServer();
  const { url, sockets } = await listen(mini);
  const live = open(url);
  const reading = take(live.subscribe("a", { after: "start" }), (item) => item.kind === "event" && item.offset === 500);
  for (let round = 0; round < 10; round++) {
    await untilLive(live);
    for (let index = 0; index < 50; index++) {
      mini.publish("a");
      if (index === 25) for (const socket of sockets.clients) socket.terminate();
    }
    await until(live.connection, ({ phase }) => phase !== "live");
  }
  expect(eventOffsets(await reading)).toEqual(range(1, 500));
});

test("a server that was killed is found again at its address, and publishes are done once", async () => {
  const mini = new MiniServer();
  const first = await listen(mini);
  const live = open(first.url);
  await untilLive(live);
  const published = range(1, 100).map((index) => live.publish("a", "note", index));
  await published[10];
  await first.kill();
  await until(live.connection, ({ phase }) => phase === "reconnecting");
  const again = await listen(mini, first.port);
  const cursors = await Promise.all(published);
  expect(cursors.map(({ offset }) => offset)).toEqual(range(1, 100));
  expect(mini.log("a").head).toBe(100);
  await again.kill();
});

test("an iterator that is slow makes the server wait and loses nothing", async () => {
  const mini = new MiniServer();
  const { url } = await listen(mini);
  for (let index = 0; index < 20_000; index++) mini.publish("a");
  const live = open(url);
  const seen: number[] = [];
  for await (const item of live.subscribe("a", { after: "start" })) {
    if (item.kind === "event") seen.push(item.offset);
    if (seen.length % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (item.kind === "event" && item.offset === 20_000) break;
  }
  expect(seen).toEqual(range(1, 20_000));
  expect(mini.seen.some((request) => request === "history a")).toBe(true); // it did fall back to pulling
});

test("nobody listening: reconnecting with the reason", async () => {
  const { url, kill } = await listen(new MiniServer());
  await kill();
  const live = open(url);
  const state = await until(live.connection, ({ phase }) => phase === "reconnecting");
  expect(state).toMatchObject({ phase: "reconnecting", attempt: 1, reason: "connection closed (1006)" });
});
