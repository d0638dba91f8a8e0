/** One task per animation frame, however often it is asked for. */

/** A hidden page has no frames; its components still learn of changes, at this pace. */
const HIDDEN_MS = 250;

/** Returns a function that asks for one run of `task` with the next frame; outside of pages, at the end of this turn. */
export function oncePerFrame(task: () => void): () => void {
  let asked = false;
  const run = (): void => {
    asked = false;
    task();
  };
  return () => {
    if (asked) return;
    asked = true;
    if (typeof requestAnimationFrame !== "function") queueMicrotask(run);
    else if (document.hidden) setTimeout(run, HIDDEN_MS);
    else requestAnimationFrame(run);
  };
}
