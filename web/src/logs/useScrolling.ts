/** Joins the scrolling box to the reader: sticks to the end, notices who scrolls where, and brings asked lines into sight. */

import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import type { KeyboardEvent, WheelEvent } from "react";

import { usePreferences } from "../app/preferences";
import { usePane, useReader } from "./pane";
import { LIMITS } from "./reader";
import { indexOf } from "./window";

/** So near to an end the next page is asked for. */
const NEAR_PX = 1200;
const END_PX = 6;

interface Scrolling {
  readonly onScroll: () => void;
  readonly onWheel: (event: WheelEvent) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly seekTo: (offset: number) => void;
}

export function useScrolling(
  box: RefObject<HTMLDivElement | null>,
  rows: Virtualizer<HTMLDivElement, HTMLDivElement>,
): Scrolling {
  const { reader } = usePane();
  const window = useReader((state) => state.window);
  const following = useReader((state) => state.following);
  const reveal = useReader((state) => state.reveal);
  const wrap = usePreferences((preferences) => preferences.wrap);
  const lastTop = useRef(0);
  const total = rows.getTotalSize();
  const height = rows.scrollRect?.height;

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    element.style.setProperty("--bar", `${element.offsetWidth - element.clientWidth}px`);
    if (following) element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }, [box, window, following, total, height, wrap]);

  useLayoutEffect(() => {
    if (reveal === null) return;
    const { entries } = reader.state.getState().window;
    const index = Math.min(indexOf(entries, reveal.offset), entries.length - 1);
    if (index >= 0) rows.scrollToIndex(index, { align: reveal.align });
  }, [reveal, reader, rows]);

  const atEnd = useCallback((): boolean => {
    const element = box.current;
    return element !== null && element.scrollHeight - element.scrollTop - element.clientHeight < END_PX;
  }, [box]);

  /** The person wants to see what comes after the loaded end. */
  const goOn = useCallback(() => {
    const state = reader.state.getState();
    if (state.head - state.window.last <= LIMITS.page) reader.follow();
    else void reader.loadNewer();
  }, [reader]);

  const onScroll = useCallback(() => {
    const element = box.current;
    if (element === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const down = scrollTop > lastTop.current;
    const up = scrollTop < lastTop.current - 1;
    lastTop.current = scrollTop;
    const state = reader.state.getState();
    if (state.following) {
      if (!up || atEnd()) return;
      reader.pause();
    }
    if (up && scrollTop < NEAR_PX && state.window.first > state.oldest) void reader.loadOlder();
    if (down && atEnd()) goOn();
    else if (down && scrollHeight - scrollTop - clientHeight < NEAR_PX && state.window.last < state.head)
      void reader.loadNewer();
  }, [box, reader, atEnd, goOn]);

  // A wheel turned at an end moves nothing, so no scroll event tells of it.
  const onWheel = useCallback(
    (event: WheelEvent) => {
      const state = reader.state.getState();
      if (event.deltaY > 0 && !state.following && atEnd()) goOn();
      const top = box.current?.scrollTop ?? 0;
      if (event.deltaY < 0 && state.following && top > 0) reader.pause();
      if (event.deltaY < 0 && !state.following && top === 0 && state.window.first > state.oldest)
        void reader.loadOlder();
    },
    [box, reader, atEnd, goOn],
  );

  // A window that does not fill the box: there is nothing to scroll, so ask for more.
  useEffect(() => {
    const state = reader.state.getState();
    const short = height !== undefined && total < height + NEAR_PX;
    if (short && state.phase === "ready" && state.older === "idle" && window.first > state.oldest)
      void reader.loadOlder();
  }, [reader, window, total, height]);

  const seekTo = useCallback(
    (offset: number) => {
      const state = reader.state.getState();
      if (offset >= state.head) reader.follow();
      else void reader.seek(offset, false);
    },
    [reader],
  );
  // The ends of the whole log, not of what is loaded.
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.key !== "Home" && event.key !== "End") return;
      event.preventDefault();
      if (event.key === "End") reader.follow();
      else void reader.seek(reader.state.getState().oldest, false);
    },
    [reader],
  );
  return { onScroll, onWheel, onKeyDown, seekTo };
}
