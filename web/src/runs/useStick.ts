/** Stays at the end while one is at the end, as a conversation does. */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";

const END_PX = 40;

/** Call with the box that scrolls, whose first child grows. `follow`: begin at the end. Returns the listener for scrolling. */
export function useStick(box: RefObject<HTMLElement | null>, follow: boolean): () => void {
  const stuck = useRef(follow);
  const lastTop = useRef(0);
  const settle = useCallback(() => {
    const element = box.current;
    if (element === null || !stuck.current || !follow) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }, [box, follow]);
  useLayoutEffect(settle);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const watch = new ResizeObserver(settle); // what was only estimated gets its height when it is drawn
    watch.observe(element);
    for (const child of element.children) watch.observe(child);
    return () => watch.disconnect();
  }, [box, settle]);
  return useCallback(() => {
    const element = box.current;
    if (element === null) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (left < END_PX) stuck.current = true;
    else if (element.scrollTop < lastTop.current) stuck.current = false; // a person looks back
    lastTop.current = element.scrollTop;
  }, [box]);
}
