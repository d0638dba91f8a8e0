import { beforeEach, describe, expect, test } from "vitest";

import { LIMITS, LogReader, type ReaderState } from "../src/logs/reader";
import { FakeLog, Frames } from "./fakes";

let log: FakeLog;
let frames: Frames;
let reader: LogReader;

const state = (): ReaderState => reader.state.getState();
const offsets = (): number[] => state().window.entries.map((entry) => entry.offset);
const range = (): [number | undefined, number | undefined] => [offsets()[0], offsets().at(-1)];

function expectUnbroken(): void {
  const all = offsets();
  expect(all.length).toBeGreaterThan(0);
  all.forEach((offset, i) => expect(offset).toBe((all[0] ?? 0) + i));
}

async function begin(lines: number, at: number | null = null, stream?: (offset: number) => string): Promise<void> {
  log = new FakeLog(lines, stream);
  frames = new Frames();
  reader = new LogReader(log, frames.schedule);
  await reader.open(at);
}

describe("following", () => {
  beforeEach(() => begin(1_000_000));

  test("opens with the newest page and listens exactly after it", () => {
    expect(range()).toEqual([1_000_000 - LIMITS.page + 1, 1_000_000]);
    expect(log.subscriptions).toEqual([{ epoch: "e1", offset: 1_000_000 }]);
    expect(state()).toMatchObject({ phase: "ready", following: true, oldest: 1, head: 1_000_000 });
  });
  test("new lines enter once per frame, however many batches came", () => {
    log.write(10);
    log.write(10);
    expect(state().head).toBe(1_000_000);
    expect(frames.waiting).toBe(1);
    frames.next();
    expect(range()[1]).toBe(1_000_020);
    expectUnbroken();
  });
  test("memory is bounded at any rate", () => {
    for (let i = 0; i < 100; i++) {
      log.write(300);
      frames.next();
    }
    expect(offsets()).toHaveLength(LIMITS.following);
    expect(range()[1]).toBe(1_030_000);
    expectUnbroken();
  });
  test("a hidden page, without frames, keeps only the newest lines and no hole", () => {
    for (let i = 0; i < 50; i++) log.write(1000);
    frames.next();
    expect(range()[1]).toBe(1_050_000);
    expect(offsets().length).toBeLessThanOrEqual(2 * LIMITS.tail);
    expectUnbroken();
  });
});

describe("paused", () => {
  beforeEach(async () => {
    await begin(10_000);
    reader.pause();
  });

  test("the window stands still and only the head moves", () => {
    const before = state().window;
    log.write(700);
    frames.next();
    expect(state().window).toBe(before);
    expect(state().head).toBe(10_700);
  });
  test("following again shows the end without asking the server", () => {
    log.write(700);
    frames.next();
    const asked = log.requests.length;
    reader.follow();
    expect(range()[1]).toBe(10_700);
    expect(log.requests).toHaveLength(asked);
    expectUnbroken();
  });
  test("after more lines than are kept, following begins anew at the end", () => {
    for (let i = 0; i < 20; i++) {
      log.write(500);
      frames.next();
    }
    reader.follow();
    expect(range()).toEqual([20_000 - LIMITS.tail + 1, 20_000]);
    expectUnbroken();
  });
  test("older pages connect, and the far end is let go beyond the bound", async () => {
    for (let i = 0; i < 30; i++) await reader.loadOlder();
    expect(offsets().length).toBe(LIMITS.window);
    expect(range()[0]).toBe(1);
    expectUnbroken();
    for (let i = 0; i < 30; i++) await reader.loadNewer();
    expect(range()[1]).toBe(10_000);
    expectUnbroken();
  });
  test("one call brings one page, also when as much is loaded as may be", async () => {
    const steps = 2 * (LIMITS.window / LIMITS.page);
    for (let i = 0; i < steps - 1; i++) {
      const first = state().window.first;
      await reader.loadOlder();
      expect(state().window.first).toBe(Math.max(1, first - LIMITS.page));
    }
    for (let i = 0; i < 5; i++) {
      const last = state().window.last;
      await reader.loadNewer();
      expect(state().window.last).toBe(last + LIMITS.page);
    }
  });
  test("two calls at once ask once", async () => {
    const asked = log.requests.length;
    await Promise.all([reader.loadOlder(), reader.loadOlder()]);
    expect(log.requests).toHaveLength(asked + 1);
  });
  test("a page that does not come can be asked for again", async () => {
    log.failNext = true;
    await reader.loadOlder();
    expect(state().older).toBe("failed");
    await reader.loadOlder();
    expect(state().older).toBe("idle");
    expectUnbroken();
  });
  test("following while an older page is on its way drops that page", async () => {
    log.held = true;
    const loading = reader.loadOlder();
    reader.follow();
    log.release();
    await loading;
    expect(state()).toMatchObject({ following: true, older: "idle" });
    expectUnbroken();
  });
});

describe("seeking", () => {
  test("a permalink opens around its line and listens for what comes", async () => {
    await begin(1_000_000, 400_000);
    expect(state()).toMatchObject({ following: false, target: 400_000, reveal: { offset: 400_000, align: "center" } });
    expect(offsets()).toContain(400_000);
    expectUnbroken();
    log.write(5);
    frames.next();
    expect(state().head).toBe(1_000_005);
    expect(offsets()).not.toContain(1_000_005);
  });
  test("a line that is loaded is shown without asking", async () => {
    await begin(10_000);
    const asked = log.requests.length;
    await reader.seek(9_900, true);
    expect(log.requests).toHaveLength(asked);
    expect(state().target).toBe(9_900);
  });
  test("the last of several jumps wins", async () => {
    await begin(1_000_000);
    log.held = true;
    const jumps = [reader.seek(100, true), reader.seek(500_000, true)];
    log.release();
    await Promise.all(jumps);
    expect(state().target).toBe(500_000);
    expect(offsets()).toContain(500_000);
  });
  test.each([[1], [1_000_000]])("the edges can be shown: %i", async (offset) => {
    await begin(1_000_000);
    await reader.seek(offset, true);
    expect(offsets()).toContain(offset);
    expectUnbroken();
  });
  test("a place before what is kept shows the oldest line there is", async () => {
    await begin(5000);
    log.oldest = 3000;
    await reader.seek(10, false);
    expect(range()[0]).toBe(3000);
    expect(state().oldest).toBe(3000);
  });
});

describe("one stream", () => {
  const rare = (offset: number): string => (offset % 1000 === 0 ? "stderr" : "stdout");

  test("pages on until enough lines pass, within a bound", async () => {
    await begin(1_000_000, null, rare);
    await reader.filterBy("stderr");
    await reader.loadOlder();
    expect(offsets().every((offset) => offset % 1000 === 0)).toBe(true);
    expect(offsets().length).toBeGreaterThanOrEqual(LIMITS.filteredPages);
    expect(log.requests.length).toBeLessThanOrEqual(2 * LIMITS.filteredPages + 2);
    expect(state().window.first).toBeLessThan(1_000_000 - 15_000);
  });
  test("live lines of the other stream stay out", async () => {
    await begin(5000, null, rare);
    await reader.filterBy("stderr");
    log.write(1000);
    frames.next();
    expect(offsets().at(-1)).toBe(6000);
    expect(state().head).toBe(6000);
    expect(state().window.last).toBe(6000);
  });
  test("jumping to a hit shows all streams again", async () => {
    await begin(5000, null, rare);
    for (const hit of [4001, 4999]) {
      await reader.filterBy("stderr");
      await reader.seek(hit, true);
      expect(state().filter).toBe("all");
      expect(offsets()).toContain(hit);
      expectUnbroken();
    }
  });
  test("back to all, paused, the place stays", async () => {
    await begin(5000, null, rare);
    await reader.seek(2500, false);
    reader.see(2500);
    await reader.filterBy("stderr");
    await reader.filterBy("all");
    expect(offsets()).toContain(2500);
    expectUnbroken();
  });
});

describe("what can go wrong", () => {
  test("an empty log is ready and waits", async () => {
    await begin(0);
    expect(state()).toMatchObject({ phase: "ready", head: 0, oldest: 1 });
    log.write(2);
    frames.next();
    expect(offsets()).toEqual([1, 2]);
  });
  test("a log that cannot be read says so, and can be tried again", async () => {
    log = new FakeLog(10);
    frames = new Frames();
    reader = new LogReader(log, frames.schedule);
    log.failNext = true;
    await reader.open();
    expect(state()).toMatchObject({ phase: "failed", error: { message: "no answer" } });
    await reader.open();
    expect(offsets()).toHaveLength(10);
  });
  test("a gap of retention is shown where it is", async () => {
    await begin(10);
    log.emit([{ kind: "gap", channel: "log:x", epoch: "e1", from: 11, to: 500, reason: "retention" }]);
    log.head = 500;
    log.write(1);
    frames.next();
    expect(state().window.entries.slice(-2)).toMatchObject([
      { kind: "gap", from: 11, offset: 500 },
      { kind: "line", offset: 501 },
    ]);
  });
  test("a new life of the store begins anew", async () => {
    await begin(1000);
    log.head = 3;
    log.emit([{ kind: "gap", channel: "log:x", epoch: "e2", from: 1, to: 1000, reason: "new_epoch" }]);
    await expect.poll(() => offsets()).toEqual([1, 2, 3]);
    expect(state().head).toBe(3);
  });
  test("closed, it stays silent", async () => {
    await begin(10);
    reader.close();
    const before = state();
    log.write(5);
    frames.next();
    expect(state()).toBe(before);
  });
});
