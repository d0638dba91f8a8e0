/** A forum, read: entries from events, parts that are joined, a store over a network in memory. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect, foldForum, ForumStore, joinForum } from "../src/index.js";
import type { ForumEntry, Live, LiveEvent } from "../src/index.js";
import { MemoryNetwork } from "./support/memory.js";

function event(offset: number, type: string, data: object): LiveEvent {
  return { kind: "event", channel: "forum:main", offset, type, data, time: "2026-01-01T00:00:00.000Z", by: null };
}

const speech = (id: string, text: string, more: object = {}): object => ({
  speech_id: id, source: "QUERY", sender: "Query Engine", kind: "agent", text, session: "s", said_at: "2026-01-01T00:00:01Z", clock: "00:00:01",
  origin: { channel: "log:query", offset: 3, upto: 9 }, muted: false, by: null, ...more,
});
const hosted = (id: string, text: string): object => speech(id, text, { source: "HOST", sender: "Forum Host", kind: "host", origin: null });

/** A host who speaks while somebody else does. */
const talk: readonly LiveEvent[] = [
  event(1, "forum.session", { session: "s", status: "started", reason: null, at: "2026-01-01T00:00:00Z" }),
  event(2, "forum.speech", speech("a", "one")),
  event(3, "message.open", { message_id: "h", role: "assistant" }),
  event(4, "message.append", { message_id: "h", delta: "To " }),
  event(5, "forum.speech", speech("b", "two")),
  event(6, "message.append", { message_id: "h", delta: "sum up" }),
  event(7, "message.close", { message_id: "h", status: "completed" }),
  event(8, "forum.speech", hosted("h", "To sum up")),
  event(9, "message.open", { message_id: "i", role: "assistant" }),
  event(10, "message.append", { message_id: "i", delta: "And " }),
  event(11, "message.append", { message_id: "i", delta: "furth" }),
  event(12, "message.close", { message_id: "i", status: "cancelled" }),
  event(13, "forum.host", { status: "stopped", run_id: "r", speech_id: "i", reason: null, let_go: [] }),
  event(14, "forum.host", { status: "let_go", run_id: null, speech_id: null, reason: "no model", let_go: ["a", "b"] }),
];
const texts = (entries: readonly ForumEntry[]): string[] =>
  entries.map((entry) => (entry.kind === "speech" ? `${entry.id} ${entry.text} ${entry.status}` : `${entry.kind} ${entry.status}`));
const WHOLE = ["session started", "a one completed", "h To sum up completed", "b two completed", "i And furth cancelled", "host let_go"];

describe("entries", () => {
  test("the host's words are one entry, where it began", () => {
    const entries = foldForum([], talk);
    expect(texts(entries)).toEqual(WHOLE);
    expect(entries[1]).toMatchObject({ source: "QUERY", speaker: "agent", at: "2026-01-01T00:00:01Z", origin: { channel: "log:query", offset: 3, upto: 9 } });
    expect(entries[2]).toMatchObject({ key: "speech h", offset: 3, upto: 8, sender: "Forum Host", cut: false });
    expect(entries.at(-1)).toMatchObject({ letGo: 2, reason: "no model" });
  });

  test("a token changes its own entry and no other", () => {
    const before = foldForum([], talk.slice(0, 5));
    const after = foldForum(before, talk.slice(5, 6));
    expect(texts(before)[2]).toBe("h To  open");
    expect(texts(after)[2]).toBe("h To sum up open");
    expect(after[1]).toBe(before[1]);
    expect(foldForum(after, [event(7, "state.patch", { ops: [] })])).toBe(after);
  });

  test.each(talk.map((_, cut) => cut))("read in two parts, the first %i events apart, it is the same", (cut) => {
    const joined = joinForum(foldForum([], talk.slice(0, cut)), foldForum([], talk.slice(cut)));
    expect(texts(joined).filter((text) => text !== "host stopped")).toEqual(WHOLE);
  });

  test("what does not fit counts as not said", () => {
    const entries = foldForum([], [event(1, "forum.speech", { text: 3, kind: "?", origin: { channel: 1 } }), event(2, "x.other", {})]);
    expect(entries).toMatchObject([{ id: "1", text: "", speaker: "agent", origin: null, source: "" }]);
  });
});

describe("over a network", () => {
  let network: MemoryNetwork;
  let live: Live;

  beforeEach(() => {
    network = new MemoryNetwork();
    live = connect(network.options());
  });
  afterEach(() => { live.close(); });

  const say = (from: number, to: number): void => {
    for (let i = from; i <= to; i++) network.server.publish("forum:main", speech(`s${String(i)}`, `speech ${String(i)}`), "forum.speech");
  };

  test("the newest page, what comes, and older pages on request", async () => {
    say(1, 2300);
    const store = new ForumStore(live, "main");
    const leave = store.subscribe(() => undefined);
    await network.quiet();
    expect(store.get()).toMatchObject({ phase: "ready", first: 1301, oldest: 1, older: "idle" });
    say(2301, 2302);
    await network.quiet();
    expect(store.get().entries.map(({ offset }) => offset)).toEqual(Array.from({ length: 1002 }, (_, i) => 1301 + i));
    const back = store.loadBackTo(2);
    await network.quiet();
    await back;
    await network.quiet();
    expect(store.get()).toMatchObject({ first: 1, older: "idle" });
    expect(store.get().entries.map(({ offset }) => offset)).toEqual(Array.from({ length: 2302 }, (_, i) => 1 + i));
    store.keepNewest(1000);
    say(2303, 2303);
    await network.quiet();
    expect(store.get().first).toBe(1304);
    leave();
  });

  test("a page that does not come can be asked for again", async () => {
    say(1, 1100);
    const store = new ForumStore(live, "main");
    store.subscribe(() => undefined);
    await network.quiet();
    network.server.refuse.set("history", { code: "internal", message: "no" });
    void store.loadOlder();
    await network.quiet();
    expect(store.get()).toMatchObject({ older: "failed", first: 101 });
    void store.loadOlder();
    await network.quiet();
    expect(store.get()).toMatchObject({ older: "idle", first: 1 });
  });

  test("a refusal is told; trying again reads anew", async () => {
    network.server.refuse.set("history", { code: "forbidden", message: "not yours" });
    const store = new ForumStore(live, "main");
    store.subscribe(() => undefined);
    await network.quiet();
    expect(store.get()).toMatchObject({ phase: "failed", error: { code: "forbidden" } });
    say(1, 1);
    store.retry();
    await network.quiet();
    expect(store.get()).toMatchObject({ phase: "ready", error: null, entries: [{ id: "s1" }] });
  });

  test("requests name the forum where it is another one, and a post carries its id", async () => {
    const asked: [string, unknown][] = [];
    for (const method of ["post", "mute", "call_host", "set_threshold", "stop_host"]) {
      network.server.answers.set(`forum.${method}`, (params) => {
        asked.push([method, params]);
        return {};
      });
    }
    network.server.answers.set("forum.get", () => ({ forum: { name: "main" } }));
    const done = Promise.all([
      live.forum.get(),
      live.forum.post("hello", { speechId: "p1" }),
      live.forum.mute("QUERY"),
      live.forum.callHost({ name: "old" }),
      live.forum.setThreshold(3),
      live.forum.stopHost(),
    ]);
    await network.quiet();
    expect((await done).slice(0, 2)).toEqual([{ name: "main" }, "p1"]);
    expect(asked).toEqual([
      ["post", { text: "hello", speech_id: "p1" }],
      ["mute", { source: "QUERY", muted: true }],
      ["call_host", { name: "old" }],
      ["set_threshold", { threshold: 3 }],
      ["stop_host", {}],
    ]);
  });
});
