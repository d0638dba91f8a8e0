import { afterEach, describe, expect, test } from "vitest";
import type { ConnectionState, Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { collect } from "./support/collect.js";
import { settle } from "./support/clock.js";
import { MemoryNetwork } from "./support/memory.js";

const open: Live[] = [];

function start(options = {}): { network: MemoryNetwork; live: Live; phases: string[] } {
  const network = new MemoryNetwork();
  const live = connect(network.options(options));
  open.push(live);
  const phases: string[] = [live.connection.get().phase];
  live.connection.subscribe(() => phases.push(live.connection.get().phase));
  return { network, live, phases };
}

afterEach(() => {
  for (const live of open.splice(0)) live.close();
});

function jsonResponse(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status });
}

describe("opening", () => {
  test("live after the welcome, with a measured latency", async () => {
    const { network, live } = start();
    expect(live.connection.get()).toEqual({ phase: "connecting" });
    await network.quiet();
    expect(live.connection.get()).toEqual({ phase: "live", latencyMs: 0 });
    expect(live.server.get()).toMatchObject({ server: "mini/1", user: "local", features: ["processes"], limits: { message_bytes: 1048576 } });
  });

  test("no welcome in time is a failure", async () => {
    const { network, live } = start();
    await settle();
    network.current.readyState = 1; // open, but silent
    await network.clock.advance(10_000);
    expect(live.connection.get()).toMatchObject({ phase: "reconnecting", attempt: 1, reason: "no welcome from the server in time" });
  });

  test("another version of the protocol is refused", async () => {
    const { network, live } = start();
    network.server.protocol = 2;
    await network.quiet();
    expect(live.connection.get()).toMatchObject({ phase: "refused", error: { code: "protocol_error" } });
    await expect(live.request("ping", {})).rejects.toMatchObject({ code: "protocol_error" });
  });

  test("a token is exchanged for a ticket before each attempt", async () => {
    const asked: string[] = [];
    const fetch = (url: string, init: RequestInit): Promise<Response> => {
      asked.push(`${init.method ?? ""} ${url} ${new Headers(init.headers).get("authorization") ?? ""}`);
      return Promise.resolve(jsonResponse(200, { ticket: `t${String(asked.length)}`, expires_in_s: 30 }));
    };
    const { network } = start({ token: "secret", fetch, url: "http://host:1/antiphon/live" });
    await network.quiet();
    await network.reconnect();
    expect(asked).toEqual(Array(2).fill("POST http://host:1/antiphon/api/tickets Bearer secret"));
    expect(network.sockets.map(({ url }) => url)).toEqual([
      "ws://host:1/antiphon/live?ticket=t1",
      "ws://host:1/antiphon/live?ticket=t2",
    ]);
  });

  test("a refused token is final until reconnect()", async () => {
    let status = 401;
    const fetch = (): Promise<Response> =>
      Promise.resolve(jsonResponse(status, status === 401 ? { code: "unauthenticated", message: "who?", retryable: false } : { ticket: "t" }));
    const { network, live } = start({ token: "secret", fetch });
    const waiting = expect(live.publish("a", "note", 1)).rejects.toMatchObject({ code: "unauthenticated" });
    await network.quiet();
    expect(live.connection.get()).toMatchObject({ phase: "refused", error: { code: "unauthenticated", message: "who?" } });
    await waiting;
    expect(network.clock.waiting).toBe(0);
    status = 200;
    live.reconnect();
    await network.quiet();
    expect(live.connection.get().phase).toBe("live");
  });

  test("where the socket was refused the reason is asked over HTTP", async () => {
    const fetch = (): Promise<Response> => Promise.resolve(jsonResponse(403, { code: "origin_refused", message: "set allowed_origins", retryable: false }));
    const { network, live } = start({ fetch });
    network.up = false;
    await network.quiet();
    expect(live.connection.get()).toMatchObject({ phase: "refused", error: { code: "origin_refused" } });
  });

  test("options that can never work are refused at once", () => {
    const { WebSocket } = new MemoryNetwork();
    expect(() => connect({ WebSocket, url: "ftp://x/" })).toThrow(/no address of a socket/);
    expect(() => connect({ WebSocket })).toThrow(/needs a url/);
  });
});

describe("coming back", () => {
  test("waits are random up to a bound that doubles to a cap, without end", async () => {
    const { network, live } = start({ random: () => 1, backoff: { baseMs: 100, capMs: 1000 } });
    network.up = false;
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 6; attempt++) {
      await network.quiet();
      const state = live.connection.get();
      if (state.phase !== "reconnecting") throw new Error(state.phase);
      expect(state.attempt).toBe(attempt);
      waits.push(state.retryAt - network.clock.now());
      await network.clock.advance(state.retryAt - network.clock.now());
    }
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    network.up = true;
    await network.quiet();
    expect(live.connection.get().phase).toBe("live");
  });

  test("only a stable connection resets the count", async () => {
    const { network, live } = start();
    const attemptAfter = async (milliseconds: number): Promise<number> => {
      await network.quiet();
      await network.clock.advance(milliseconds);
      await network.quiet();
      network.drop();
      const state = live.connection.get();
      if (state.phase !== "reconnecting") throw new Error(state.phase);
      await network.clock.advance(state.retryAt - network.clock.now());
      return state.attempt;
    };
    expect(await attemptAfter(10)).toBe(1);
    expect(await attemptAfter(10)).toBe(2);
    expect(await attemptAfter(10)).toBe(3);
    expect(await attemptAfter(10_000)).toBe(1);
  });

  test("a goodbye says how long to stay away", async () => {
    const { network, live } = start();
    await network.quiet();
    network.session.notify("goodbye", { reason: "the server is stopping", reconnect_after_s: 7 });
    await network.quiet();
    network.session.close(1012, "stopping");
    const state = live.connection.get();
    expect(state).toMatchObject({ phase: "reconnecting", reason: "the server is stopping; connection closed (1012: stopping)" });
    expect(state.phase === "reconnecting" && state.retryAt - network.clock.now()).toBe(7150);
  });

  test.each([
    ["not JSON", "hello"],
    ["an array", "[]"],
    ["an event without offset", '{"jsonrpc":"2.0","method":"event","params":{"channel":"a","type":"x","data":1,"time":"t"}}'],
    ["a wrong offset", '{"jsonrpc":"2.0","method":"event","params":{"channel":"a","offset":1.5,"type":"x","data":1,"time":"t"}}'],
    ["a second welcome", '{"jsonrpc":"2.0","method":"welcome","params":{"protocol":1,"server":"s","epoch":"e","connection_id":"c","user":"u","features":[],"limits":{}}}'],
    ["an answer without id", '{"jsonrpc":"2.0","result":{}}'],
  ])("%s ends the connection with its reason", async (_name, text) => {
    const { network, live } = start();
    await network.quiet();
    network.session.raw(text);
    await network.quiet();
    expect(live.connection.get()).toMatchObject({ phase: "reconnecting", reason: expect.stringMatching(/malformed|welcome/) as string });
  });

  test("what a newer server says is ignored, its problems are kept", async () => {
    const { network, live } = start();
    await network.quiet();
    network.session.notify("weather", { sun: true });
    network.session.notify("problem", { code: -32000, message: "no", data: { code: "channel_owned", retryable: false } });
    await network.quiet();
    expect(live.connection.get().phase).toBe("live");
    expect(live.problem.get()).toMatchObject({ code: "channel_owned" });
  });
});

describe("the heartbeat", () => {
  test("a silent server is dead after the deadline", async () => {
    const { network, live } = start();
    await network.quiet();
    await network.clock.advance(15_000); // the ping goes out, nobody moves it
    await network.clock.advance(9999);
    expect(live.connection.get().phase).toBe("live");
    await network.clock.advance(1);
    expect(live.connection.get()).toMatchObject({ phase: "reconnecting", reason: "the server stopped answering" });
  });

  test("a server that talks is alive though its answer is late", async () => {
    const { network, live } = start();
    await network.quiet();
    network.server.deaf = true;
    for (let round = 0; round < 10; round++) {
      await network.clock.advance(9000);
      network.session.notify("weather", {});
      network.step();
    }
    expect(live.connection.get().phase).toBe("live");
  });

  test("measures the round trip", async () => {
    const { network, live } = start();
    await network.quiet();
    await network.clock.advance(15_000);
    await network.clock.advance(42);
    await network.quiet();
    expect(live.connection.get()).toEqual({ phase: "live", latencyMs: 42 });
  });

  test("a page that is seen again, or another network, asks at once and waits less", async () => {
    for (const news of ["visible", "offline", "online"] as const) {
      const { network, live } = start();
      await network.quiet();
      network.tell(news);
      await network.clock.advance(3000);
      expect(live.connection.get()).toMatchObject({ phase: "reconnecting", reason: "the server stopped answering" });
    }
  });
});

describe("the network of the machine", () => {
  test("offline is shown, and online tries at once", async () => {
    const { network, live, phases } = start();
    await network.quiet();
    network.online = false;
    network.up = false;
    network.drop();
    expect(live.connection.get()).toEqual({ phase: "offline" });
    network.online = true;
    network.up = true;
    network.tell("online");
    await network.quiet();
    expect(live.connection.get().phase).toBe("live");
    expect(phases).toEqual(["connecting", "live", "live", "offline", "connecting", "live", "live"]);
  });

  test("a server on this machine is reached without a network", async () => {
    const { network, live } = start();
    network.online = false;
    await network.quiet();
    await network.reconnect();
    expect(live.connection.get().phase).toBe("live");
  });
});

describe("catching up", () => {
  test("counts what is still to come", async () => {
    const { network, live } = start();
    network.server.budget = 4;
    for (let index = 0; index < 10; index++) network.server.publish("a");
    const behind: number[] = [];
    live.connection.subscribe(() => {
      const state: ConnectionState = live.connection.get();
      if (state.phase === "catching_up") behind.push(state.behind);
    });
    const found = collect(live.subscribe("a", { after: "start" }));
    await network.quiet();
    expect(live.connection.get()).toEqual({ phase: "catching_up", behind: 6 });
    network.session.grant(100);
    await network.quiet();
    expect(live.connection.get().phase).toBe("live");
    expect(found.at(-1)).toBe("caught up");
    expect(behind).toEqual([...behind].sort((a, b) => b - a));
  });
});

describe("closing", () => {
  test("ends everything, twice if need be", async () => {
    const { network, live } = start();
    await network.quiet();
    const reading = live.subscribe("a")[Symbol.asyncIterator]().next();
    const asking = live.request("history", { channel: "a" });
    live.close();
    live.close();
    await expect(asking).rejects.toMatchObject({ code: "closed" });
    expect(await reading).toEqual({ done: true, value: undefined });
    expect(live.connection.get()).toEqual({ phase: "closed" });
    expect(network.clock.waiting).toBe(0);
    await expect(live.request("ping", {})).rejects.toMatchObject({ code: "closed" });
    expect(collect(live.subscribe("b"))).toEqual([]);
  });
});
