/** Joins the scrolling box to the conversation: sticks to the end, notices who looks back, reads older parts, keeps the place. */

import type { ForumEntry } from "@antiphon/client";
import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { KeyboardEvent, WheelEvent } from "react";

import { navigate } from "../app/navigation";
import { keepPlace, readPlace } from "./place";
import { useRoom } from "./room";
import { indexAt, speechesAfter } from "./words";

const END_PX = 8;
/** So near to the old end the next page is asked for. */
const NEAR_ROWS = 12;
/** While one follows, older ones beyond so many are let go. */
const KEEP = 3000;
const PLACE_MS = 200;
/** A row that was asked for has stood still for so many frames: it is where it will be. */
const STILL_FRAMES = 4;
const REVEAL_MS = 5000;

interface Reveal {
  readonly offset: number;
  readonly align: "center" | "start";
}

export interface Following {
  readonly fresh: number; // speeches since one has paused
  readonly follow: () => void;
  readonly toggle: () => void;
  readonly onScroll: () => void;
  readonly onWheel: (event: WheelEvent) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

interface View {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly rows: Virtualizer<HTMLDivElement, HTMLDivElement>;
  readonly shown: readonly ForumEntry[];
  readonly following: boolean;
  readonly onFollowing: (following: boolean) => void;
}

export function useFollowing({ box, rows, shown, following, onFollowing }: View): Following {
  const { entries, first, oldest, older, view, loadOlder, loadBackTo, keepNewest } = useRoom();
  const [goal] = useState(() => readPlace() ?? view.at);
  const [reveal, setReveal] = useState<Reveal | null>(null);
  const [placed, setPlaced] = useState(goal === null);
  const [seen, setSeen] = useState(() => entries.at(-1)?.offset ?? 0);
  const lastTop = useRef(0);
  const total = rows.getTotalSize();
  const height = rows.scrollRect?.height ?? 0;
  const topIndex = rows.range?.startIndex ?? 0;
  const topOffset = shown[topIndex]?.offset ?? null;

  /** Somebody asks for the end: what a link pointed to is left behind. */
  const follow = useCallback(() => {
    if (view.at !== null) navigate({ page: "forum", ...view, at: null }, { replace: true });
    onFollowing(true);
  }, [onFollowing, view]);
  const pause = useCallback(() => {
    setSeen(entries.at(-1)?.offset ?? 0);
    onFollowing(false);
  }, [entries, onFollowing]);
  const goTo = useCallback(
    async (offset: number, align: Reveal["align"]): Promise<void> => {
      await loadBackTo(offset);
      setReveal({ offset, align });
    },
    [loadBackTo],
  );

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    if (following) element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }, [box, shown, following, total, height]);

  // A reload, or the way back, leads to where one was; a link leads to a speech.
  useEffect(() => {
    if (goal !== null) void goTo(goal, goal === readPlace() ? "start" : "center");
  }, [goal, goTo]);
  const at = useRef(view.at);
  useEffect(() => {
    const isNew = at.current !== view.at;
    at.current = view.at;
    if (view.at === null || !isNew || box.current?.querySelector(`[data-offset="${view.at}"]`) != null) return;
    pause();
    void goTo(view.at, "center");
  }, [view.at, box, goTo, pause]);
  // Rows have a guessed height until they are drawn, so it takes some frames to come to one; others may be put before it meanwhile.
  const wanted = reveal === null || shown.length === 0 ? -1 : indexAt(shown, reveal.offset);
  const wantedOffset = shown[wanted]?.offset ?? 0;
  useLayoutEffect(() => {
    if (reveal === null || wanted < 0) return;
    rows.scrollToIndex(wanted, { align: reveal.align });
    return whenStill(box, wantedOffset, () => {
      setReveal(null);
      setPlaced(true);
    });
  }, [reveal, rows, wanted, wantedOffset, box]);
  useEffect(() => {
    if (!placed) return;
    if (following) return keepPlace(null);
    const timer = setTimeout(() => keepPlace(topOffset), PLACE_MS);
    return () => clearTimeout(timer);
  }, [placed, following, topOffset, view]);

  // Another filter: what was in sight stays, or what comes after it.
  const speakers = useRef(view.speakers);
  useLayoutEffect(() => {
    if (speakers.current === view.speakers) return;
    speakers.current = view.speakers;
    const place = readPlace();
    if (!following && place !== null) setReveal({ offset: place, align: "start" });
  }, [view.speakers, following]);

  useEffect(() => keepNewest(following ? KEEP : Infinity), [following, keepNewest]);
  useEffect(() => {
    if (older !== "idle" || first <= oldest || height === 0 || reveal !== null) return;
    const isWanted = following ? total < 2 * height && entries.length < KEEP : topIndex < NEAR_ROWS;
    if (isWanted) void loadOlder();
  }, [older, first, oldest, height, total, following, topIndex, entries.length, loadOlder, reveal]);

  const atEnd = useCallback((): boolean => {
    const element = box.current;
    return element !== null && element.scrollHeight - element.scrollTop - element.clientHeight < END_PX;
  }, [box]);
  const onScroll = useCallback(() => {
    const element = box.current;
    if (element === null) return;
    const moved = element.scrollTop - lastTop.current;
    lastTop.current = element.scrollTop;
    if (following && moved < -1 && !atEnd()) pause();
    if (!following && placed && moved > 0 && atEnd()) onFollowing(true);
  }, [box, following, placed, atEnd, pause, onFollowing]);
  // A wheel turned at an end moves nothing, so no scroll event tells of it.
  const onWheel = useCallback(
    ({ deltaY }: WheelEvent) => {
      if (deltaY > 0 && !following && atEnd()) onFollowing(true);
      if (deltaY < 0 && following && (box.current?.scrollTop ?? 0) > 0) pause();
    },
    [box, following, atEnd, onFollowing, pause],
  );
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.key !== "Home" && event.key !== "End") return;
      event.preventDefault();
      if (event.key === "End") return follow();
      pause();
      void goTo(oldest, "start");
    },
    [follow, pause, goTo, oldest],
  );
  const fresh = following ? 0 : speechesAfter(shown, seen);
  return { fresh, follow, toggle: following ? pause : follow, onScroll, onWheel, onKeyDown };
}

/** Calls back once a row is drawn and stands still, at the latest after a while. Returns what stops that. */
function whenStill(box: RefObject<HTMLDivElement | null>, offset: number, done: () => void): () => void {
  const until = performance.now() + REVEAL_MS;
  let top: number | undefined;
  let still = 0;
  let frame = requestAnimationFrame(function look(now) {
    const row = box.current?.querySelector(`[data-offset="${offset}"]`);
    const found = row?.getBoundingClientRect().top;
    still = found !== undefined && found === top ? still + 1 : 0;
    top = found;
    if (still >= STILL_FRAMES || now > until) done();
    else frame = requestAnimationFrame(look);
  });
  return () => cancelAnimationFrame(frame);
}
