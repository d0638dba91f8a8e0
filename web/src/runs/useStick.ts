/** Stays at the end while one is at the end, as a conversation does. */

import { type RefObject, useCallback, useLayoutEffect, useRef } from "react";

const END_PX = 40;

/** Call with what is drawn; `follow`: begin at the end. Returns the listener for scrolling. */
export function useStick(box: RefObject<HTMLElement | null>, drawn: unknown, follow: boolean): () => void {
  const stuck = useRef(follow);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && stuck.current && follow) element.scrollTop = element.scrollHeight;
  }, [box, drawn, follow]);
  return useCallback(() => {
    const element = box.current;
    if (element === null) return;
    stuck.current = element.scrollHeight - element.scrollTop - element.clientHeight < END_PX;
  }, [box]);
}
