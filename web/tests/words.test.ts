import { AntiphonError, type ConnectionState, type ProcessRow } from "@antiphon/client";
import { describe, expect, test } from "vitest";

import { connectionWords } from "../src/app/connectionWords";
import { commandFor } from "../src/app/keys";
import { enabledPages, splitPages } from "../src/app/pages";
import { agentName, endedWell, lagWords, reasonWords } from "../src/connections/words";
import { extendChoice, isChosen } from "../src/logs/choosing";
import { asSignal, entryText, toEntry } from "../src/logs/entry";
import { filterItems, listItems, neighbour, openingItem } from "../src/logs/items";
import { offsetAt, thumb } from "../src/logs/scrollbar";
import { factsOf, statusWords } from "../src/logs/status";
import { lifeStart, timeLabel } from "../src/logs/times";
import { FakeLog } from "./fakes";

describe("the connection indicator tells the truth", () => {
  test.each<[ConnectionState, string]>([
    [{ phase: "connecting" }, "Connecting"],
    [{ phase: "live", latencyMs: 4 }, "Live · 4 ms"],
    [{ phase: "live", latencyMs: null }, "Live"],
    [{ phase: "catching_up", behind: 12_000 }, "Catching up · 12\u202f000 events"],
    [{ phase: "reconnecting", retryAt: 13_400, attempt: 2, reason: "x" }, "Reconnecting in 4 s"],
    [{ phase: "reconnecting", retryAt: 9_000, attempt: 2, reason: "x" }, "Reconnecting"],
    [{ phase: "offline" }, "Offline"],
    [{ phase: "refused", error: new AntiphonError("origin_refused", "set allowed_origins") }, "Refused"],
  ])("%j", (state, text) => {
    expect(connectionWords(state, 10_000).text).toBe(text);
  });
  test("a refusal gives its reason, and waiting can be cut short", () => {
    const refused = { phase: "refused", error: new AntiphonError("origin_refused", "set allowed_origins") } as const;
    expect(connectionWords(refused, 0)).toMatchObject({ detail: "set allowed_origins", tone: "bad", retry: true });
  });
});

const row: ProcessRow = {
  status: "running",
  pid: 1,
  started_at: "2026-11-21T08:00:00.000Z",
  ended_at: null,
  exit_code: null,
  signal: null,
  cpu_percent: 12.34,
  memory_bytes: 50_331_648,
  restarts: 2,
  port: null,
  reason: null,
  channel: "log:x",
  source: "config",
  stdin: false,
};

describe("processes", () => {
  test("what runs shows what it uses", () => {
    expect(factsOf(row, Date.parse("2026-11-21T08:02:41.900Z"))).toEqual(["2 m 41 s", "12 %", "48 MB", "2 restarts"]);
  });
  test.each<[Partial<ProcessRow>, string, string]>([
    [{ status: "running" }, "running", "run"],
    [{ status: "unhealthy" }, "unhealthy", "wait"],
    [{ status: "exited", exit_code: 0 }, "exited with 0", "ok"],
    [{ status: "exited", exit_code: 3 }, "exited with 3", "bad"],
    [{ status: "exited", signal: 9 }, "ended by SIGKILL", "bad"],
    [{ status: "failed" }, "failed", "bad"],
    [{ status: "stopped" }, "stopped", "stop"],
  ])("%j", (change, text, tone) => {
    expect(statusWords({ ...row, ...change })).toMatchObject({ text, tone });
  });
  test("signals have names", () => {
    expect([asSignal(15), asSignal("SIGHUP"), asSignal(64), asSignal(null)]).toEqual([
      "SIGTERM",
      "SIGHUP",
      "signal 64",
      null,
    ]);
  });
  test("the list holds each name once: processes, files, other logs", () => {
    const items = listItems(
      ["web", "db"],
      ["app"],
      [{ channel: "log:web" }, { channel: "log:other" }, { channel: "news" }, { channel: "log:" }],
    );
    expect(items.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      "process web",
      "process db",
      "file app",
      "channel other",
    ]);
    expect(filterItems(items, " E  o ").map((item) => item.name)).toEqual(["other"]);
    expect(neighbour(items, "db", 1)?.name).toBe("app");
    expect(neighbour(items, "web", -1)?.name).toBe("web");
    expect(neighbour(items, null, 1)?.name).toBe("web");
    expect(neighbour([], null, 1)).toBeUndefined();
  });

  test("opens with what runs, else with what has lines", () => {
    const items = listItems(["app", "web"], ["system"], []);
    const lines = (name: string, head: number) => ({ channel: `log:${name}`, head });
    expect(openingItem(items, (name) => name === "web", null)?.name).toBe("web");
    expect(openingItem(items, () => false, null)).toBeNull();
    expect(openingItem(items, () => false, [lines("app", 0), lines("system", 3)])?.name).toBe("system");
    expect(openingItem(items, () => false, [])?.name).toBe("app");
    expect(openingItem([], () => false, [])).toBeNull();
  });
});

describe("entries", () => {
  const event = (type: string, data: unknown) => ({ ...new FakeLog(1).event(1), type, data });
  test("wire events become rows; what is odd is shown, not dropped", () => {
    expect(toEntry(event("line", { text: "a", stream: "stderr" }))).toMatchObject({
      kind: "line",
      text: "a",
      stream: "stderr",
    });
    expect(toEntry(event("line", null))).toMatchObject({ kind: "line", text: "", stream: "stdout" });
    expect(toEntry(event("process.exited", { exit_code: null, signal: 15 }))).toMatchObject({
      kind: "exited",
      signal: "SIGTERM",
    });
    expect(entryText(toEntry(event("note", [1])))).toBe("note [1]");
  });
  test("times: off, clock, since the start of that life", () => {
    const entry = toEntry(event("line", { text: "" }));
    const started = entry.timeMs - 4120;
    expect(timeLabel(entry, "off", null, true)).toBe("·");
    expect(timeLabel(entry, "start", started, true)).toBe("0:04.120");
    expect(timeLabel(entry, "start", null, false)).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(lifeStart(entry, [{ offset: 1, startMs: started }], undefined)).toBe(started);
    expect(lifeStart(entry, [], { ...row, started_at: "2026-11-21T07:59:59.000Z" })).toBe(
      Date.parse("2026-11-21T07:59:59.000Z"),
    );
    expect(lifeStart(entry, [], { ...row, started_at: "2026-11-21T08:00:01.000Z" })).toBeNull();
    expect(lifeStart(entry, [{ offset: 5, startMs: 0 }], row)).toBeNull();
  });
});

describe("small arithmetic", () => {
  test("choosing lines", () => {
    const one = extendChoice(null, 5, false);
    expect(one).toEqual({ anchor: 5, from: 5, to: 5 });
    expect(extendChoice(one, 5, false)).toBeNull();
    const up = extendChoice(one, 2, true);
    expect(up).toMatchObject({ from: 2, to: 5 });
    expect(extendChoice(up, 9, true)).toMatchObject({ from: 5, to: 9 });
    expect([isChosen(up, 3), isChosen(up, 6), isChosen(null, 1)]).toEqual([true, false, false]);
  });
  test("the scroll bar and the place belong together", () => {
    const span = { oldest: 1, head: 1_000_000, visible: 40 };
    for (const top of [1, 250_000, 500_000, 999_000]) {
      expect(Math.abs(offsetAt(span, thumb(span, top)?.start ?? Number.NaN) - top)).toBeLessThanOrEqual(1);
    }
    expect(offsetAt(span, 1)).toBe(1_000_000);
    expect(offsetAt(span, -1)).toBe(1);
    expect(thumb({ oldest: 1, head: 40, visible: 40 }, 1)).toBeNull();
  });
  test("keys", () => {
    expect(commandFor({ key: "f", timeMs: 0 }, null)).toBe("follow");
    expect(commandFor({ key: "l", timeMs: 500 }, 100)).toBe("go-logs");
    expect(commandFor({ key: "l", timeMs: 5000 }, 100)).toBeNull();
    expect(commandFor({ key: "l", timeMs: 0 }, null)).toBeNull();
  });
  test("the rail shows logs and tools on every server", () => {
    expect(enabledPages([]).map((page) => page.label)).toEqual(["Logs", "Connections", "Playground"]);
  });
  test("a narrow bar keeps room for a thumb", () => {
    const labels = (features: string[], wide: boolean): string[][] => {
      const { shown, more } = splitPages(enabledPages(features), wide);
      return [shown, more].map((pages) => pages.map((page) => page.label));
    };
    expect(labels(["runs", "questions"], false)[1]).toEqual([]);
    expect(labels(["runs", "questions", "agents"], true)[1]).toEqual([]);
    expect(labels(["runs", "questions", "agents"], false)).toEqual([
      ["Inbox", "Runs", "Agents", "Logs"],
      ["Connections", "Playground"],
    ]);
  });
});

describe("connections", () => {
  test("who is who", () => {
    expect(
      agentName(
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
      ),
    ).toBe("Chrome 140");
    expect(agentName("antiphon/0.1.0 python/3.11")).toBe("antiphon 0.1.0");
    expect(agentName(null)).toBeNull();
  });
  test("how far behind", () => {
    expect(lagWords({ subscriptions: [] }).text).toBe("idle");
    expect(lagWords({ subscriptions: [{ channel: "a", phase: "live", lag: 0 }] })).toEqual({
      tone: "ok",
      text: "live",
    });
    const behind = [
      { channel: "a", phase: "pulling", lag: 7 },
      { channel: "b", phase: "live", lag: 0 },
    ] as const;
    expect(lagWords({ subscriptions: behind })).toEqual({ tone: "wait", text: "7 events behind" });
  });
  test("why they went", () => {
    expect(reasonWords("slow_consumer")).toBe("Read nothing for 30 s");
    expect(reasonWords("some_new_word")).toBe("Some new word");
    expect([
      endedWell({ code: 1008, reason: "" }),
      endedWell({ code: 1001, reason: "" }),
      endedWell({ code: null, reason: "abusive" }),
    ]).toEqual([false, true, false]);
  });
});
