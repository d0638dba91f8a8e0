import {
  AntiphonError,
  type ForumEntry,
  type ForumState,
  foldForum,
  type Live,
  type LiveEvent,
} from "@antiphon/client";
import { describe, expect, test } from "vitest";

import { post, postAgain, postingState, setDraft, takeBack } from "../src/forum/posting";
import { voiceOf } from "../src/forum/voices";
import {
  bufferWords,
  cutWords,
  hostNoteWords,
  indexAt,
  isGrowing,
  logName,
  nameOf,
  sessionWords,
  shownOf,
  speechesAfter,
  toggled,
} from "../src/forum/words";

const event = (offset: number, type: string, data: object): LiveEvent => ({
  kind: "event",
  channel: "forum:main",
  offset,
  type,
  data,
  time: "2026-01-01T00:00:00Z",
  by: null,
});
const said = (offset: number, source: string, kind: string, text: string): LiveEvent =>
  event(offset, "forum.speech", { speech_id: `s${offset}`, source, sender: source, kind, text });
const entries = foldForum(
  [],
  [
    event(1, "forum.session", { session: "1f0a92cc", status: "started" }),
    said(2, "QUERY", "agent", "one"),
    said(4, "INSIGHT", "agent", "two"),
    event(5, "message.open", { message_id: "h" }),
    event(9, "message.append", { message_id: "h", delta: "To sum" }),
    event(10, "forum.host", { status: "failed", reason: "no model", let_go: [] }),
    event(12, "forum.session", { session: "1f0a92cc", status: "ended", reason: "restarted" }),
  ],
);
const offsets = (some: readonly ForumEntry[]): number[] => some.map(({ offset }) => offset);

describe("what is shown", () => {
  test("sessions are never filtered; what goes wrong with the host is the host's", () => {
    expect(shownOf(entries, [])).toBe(entries);
    expect(offsets(shownOf(entries, ["QUERY"]))).toEqual([1, 2, 12]);
    expect(offsets(shownOf(entries, ["HOST", "QUERY"]))).toEqual([1, 2, 5, 10, 12]);
  });
  test("what came after a place", () => {
    expect([0, 2, 4, 5, 12].map((offset) => speechesAfter(entries, offset))).toEqual([3, 2, 1, 0, 0]);
  });
  test("a place is that of the entry that holds it, or of the next one", () => {
    expect([1, 3, 7, 11, 99].map((offset) => indexAt(entries, offset))).toEqual([0, 2, 3, 5, 5]);
  });
  test("all speakers chosen is none left out", () => {
    expect(toggled([], "A", ["A", "B"])).toEqual(["A"]);
    expect(toggled(["A"], "B", ["A", "B"])).toEqual([]);
    expect(toggled(["A", "X"], "X", ["A", "B"])).toEqual(["A"]);
  });
});

describe("words", () => {
  const forum = (speech_id: string | null): ForumState => ({
    name: "main",
    session: null,
    threshold: 5,
    buffered: 1,
    speakers: { HOST: { sender: "The chair", kind: "host", muted: false, speeches: 0 } },
    host: { status: speech_id === null ? "idle" : "speaking", agent: null, run_id: null, speech_id, message: null },
  });
  const host = entries.find((entry) => entry.kind === "speech" && entry.id === "h");
  if (host?.kind !== "speech") throw new Error("no host");

  test("of who grows: only whom the state names, as a server may have died in between", () => {
    expect([isGrowing(host, undefined), isGrowing(host, forum("h")), isGrowing(host, forum(null))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(cutWords(host, true)).toBeNull();
    expect(cutWords(host, false)).toBe("Its end is not known");
    expect(cutWords({ status: "cancelled", text: "To" }, false)).toBe("Stopped in mid-sentence");
    expect(cutWords({ status: "cancelled", text: "" }, false)).toBe("Stopped before it said anything");
    expect([nameOf(host, forum(null)), nameOf(host, undefined)]).toEqual(["The chair", "Forum Host"]);
  });
  test("of sessions, of the host's failures, of the buffer", () => {
    const sessions = entries.flatMap((entry) => (entry.kind === "session" ? [sessionWords(entry)] : []));
    expect(sessions).toEqual(["Session 1f0a92cc begins", "Session 1f0a92cc ended: a watched program began anew"]);
    const [note] = entries.flatMap((entry) => (entry.kind === "host" ? [entry] : []));
    if (note === undefined) throw new Error("no note");
    expect(hostNoteWords(note)).toBe("The host could not speak: no model. It tries again after further speeches");
    expect(hostNoteWords({ ...note, status: "let_go", letGo: 5 })).toMatch(/5 speeches are not put to it any more$/);
    expect(bufferWords({ buffered: 0, threshold: 1 })).toBe("0 of 1 speech until the host speaks");
  });
  test("of an origin", () => {
    expect([logName("log:query"), logName("run:x")]).toEqual(["query", null]);
  });
  test("a speaker has one colour for ever; people and the forum have the text's", () => {
    expect(voiceOf("INSIGHT", "agent")).not.toBe(voiceOf("QUERY", "agent"));
    expect(voiceOf("LEGAL", "agent")).toBe(voiceOf("LEGAL", "agent"));
    expect([voiceOf("PERSON", "person"), voiceOf("SYSTEM", "system")]).toEqual(["voice-person", "voice-system"]);
  });
});

describe("posting", () => {
  function fakeLive(answers: (AntiphonError | null)[]): { live: Live; asked: unknown[] } {
    const asked: unknown[] = [];
    const answer = (...given: unknown[]): Promise<void> => {
      asked.push(given);
      const error = answers.shift() ?? null;
      return error === null ? Promise.resolve() : Promise.reject(error);
    };
    return { live: { forum: { post: answer } } as unknown as Live, asked };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test("the draft goes; refused, it can be sent again as the same speech, or be written anew", async () => {
    const { live, asked } = fakeLive([new AntiphonError("forbidden", "not yours"), new AntiphonError("busy", "no")]);
    setDraft("main", "tea?");
    post(live, "main", "tea?");
    expect(postingState().drafts["main"]).toBe("");
    await settled();
    const [refused] = postingState().sent["main"] ?? [];
    expect(refused).toMatchObject({ text: "tea?", phase: "refused", problem: "not yours" });
    if (refused === undefined) return;
    postAgain(live, "main", refused);
    await settled();
    expect(asked[0]).toEqual(asked[1]);
    setDraft("main", "and coffee?");
    takeBack("main", refused);
    expect([postingState().drafts["main"], postingState().sent["main"]]).toEqual(["tea?\nand coffee?", []]);
    post(live, "main", "tea?");
    await settled();
    expect(postingState().sent["main"]).toEqual([]);
  });
});
