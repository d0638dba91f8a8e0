import type { SearchParams, SearchSlice } from "@antiphon/client";
import { describe, expect, test } from "vitest";

import { MAX_HITS, type Progress, scannedLines, searchLog } from "../src/logs/search";
import { Searching } from "../src/logs/searching";
import { FakeLog } from "./fakes";

const log = new FakeLog(100_000);

/** The server's search: slices of bounded work, newest first. */
function slicing(matches: (offset: number) => boolean, sliceLines: number) {
  const asked: SearchParams[] = [];
  const request = (params: SearchParams): Promise<SearchSlice> => {
    asked.push(params);
    const hits = [];
    let count = 0;
    let offset = (params.before ?? log.head + 1) - 1;
    const end = Math.max(1, offset - sliceLines + 1);
    for (; offset >= end; offset--) {
      if (!matches(offset)) continue;
      count++;
      if (params.limit === 0) continue;
      hits.push(log.event(offset));
      if (hits.length === params.limit) {
        offset--;
        break;
      }
    }
    return Promise.resolve({ hits, count, scanned_to: offset + 1, complete: offset < 1 });
  };
  return { asked, request };
}

const query = { channel: "log:x", text: "line", ignoreCase: false };

async function all(request: (params: SearchParams) => Promise<SearchSlice>): Promise<Progress[]> {
  const seen: Progress[] = [];
  for await (const progress of searchLog(request, query, new AbortController().signal)) seen.push(progress);
  return seen;
}

describe("a search", () => {
  test("counts every line once, whatever the slices", async () => {
    const { request } = slicing((offset) => offset % 3 === 0, 7001);
    const last = (await all(request)).at(-1);
    expect(last).toMatchObject({ count: 33_333, complete: true });
    expect(last?.hits).toHaveLength(MAX_HITS);
    expect(new Set(last?.hits.map((hit) => hit.offset)).size).toBe(MAX_HITS);
  });
  test("lists the newest first, then only counts", async () => {
    const { request, asked } = slicing(() => true, 50_000);
    const last = (await all(request)).at(-1);
    expect(last?.hits[0]?.offset).toBe(100_000);
    expect(last?.count).toBe(100_000);
    expect(asked.at(-1)).toMatchObject({ limit: 0 });
  });
  test("the count runs while slices come", async () => {
    const seen = await all(slicing((offset) => offset === 5, 10_000).request);
    expect(seen).toHaveLength(10);
    expect(seen[0]).toMatchObject({ count: 0, complete: false });
    expect(seen.map((progress) => scannedLines(progress, 1, 100_000))).toEqual(
      Array.from({ length: 10 }, (_, i) => (i + 1) * 10_000),
    );
    expect(seen.at(-1)).toMatchObject({ count: 1, complete: true });
  });
  test("a server that does not move on is not asked for ever", async () => {
    const stuck = (): Promise<SearchSlice> => Promise.resolve({ hits: [], count: 0, scanned_to: 50, complete: false });
    await expect(all(stuck)).rejects.toThrow("did not get past line 50");
  });
  test("aborted, it ends without a further word", async () => {
    const abort = new AbortController();
    const { request } = slicing(() => true, 10);
    const seen: Progress[] = [];
    for await (const progress of searchLog(request, query, abort.signal)) {
      seen.push(progress);
      abort.abort();
    }
    expect(seen).toHaveLength(1);
  });
});

describe("the search box", () => {
  test("walks through the hits in both directions, round the ends", async () => {
    const box = new Searching(slicing((offset) => offset % 40_000 === 0, 1e6).request, "log:x");
    box.type("line");
    await box.run(100_000);
    expect(box.state.getState()).toMatchObject({ phase: "done", active: null });
    expect([box.step(1), box.step(1), box.step(1), box.step(-1)]).toEqual([80_000, 40_000, 80_000, 40_000]);
  });
  test("a new search forgets the old one", async () => {
    const { request } = slicing(() => true, 1e6);
    const box = new Searching(request, "log:x");
    box.type("a");
    const first = box.run(100_000);
    box.type("b");
    await Promise.all([first, box.run(100_000)]);
    expect(box.state.getState()).toMatchObject({ text: "b", phase: "done", progress: { count: 100_000 } });
  });
  test("an empty text ends it", async () => {
    const box = new Searching(slicing(() => true, 1e6).request, "log:x");
    await box.run(5);
    expect(box.state.getState().phase).toBe("idle");
    expect(box.step(1)).toBeNull();
  });
  test("a refusal is shown", async () => {
    const box = new Searching(() => Promise.reject(new Error("forbidden")), "log:x");
    box.type("x");
    await box.run(5);
    expect(box.state.getState()).toMatchObject({ phase: "failed", error: { message: "forbidden" } });
  });
});
