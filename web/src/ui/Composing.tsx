/** What every field shares in which a person writes to somebody: its height, its keys, and what was not sent yet. */

import { useConnection } from "@antiphon/client/react";
import { type KeyboardEvent, type ReactNode, type RefObject, useLayoutEffect } from "react";

import { Problem } from "./Notice";

export const isThumb = (): boolean => window.matchMedia("(pointer: coarse)").matches;

/** A field as high as its text. */
export function useGrowth(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [field, text]);
}

/** Whether a key sends what was written; a thumb's keyboard has no other way to a new line. */
export function isSending({ key, shiftKey, altKey, ctrlKey, metaKey, nativeEvent }: KeyboardEvent): boolean {
  if (key !== "Enter" || shiftKey || altKey || nativeEvent.isComposing) return false;
  return !isThumb() || ctrlKey || metaKey;
}

interface UnsentProps {
  readonly problem: string | null; // null = it is on its way
  readonly children: ReactNode;
  readonly onAgain: () => void;
  readonly onEdit: () => void;
}

/** Something that the server does not have yet: on its way, or refused. */
export function Unsent({ problem, children, onAgain, onEdit }: UnsentProps): ReactNode {
  const { phase } = useConnection();
  const connected = phase === "live" || phase === "catching_up";
  return (
    <>
      <div className="mb-[2px] text-s text-dim" role="status">
        {problem !== null ? "Not sent" : connected ? "Sending" : "Waiting for the connection"}
      </div>
      {children}
      {problem === null ? null : (
        <div className="mt-2 flex flex-wrap items-center gap-2">
          <button type="button" className="button small thumb" onClick={onAgain}>
            Send again
          </button>
          <button type="button" className="button small thumb" onClick={onEdit}>
            Edit
          </button>
          <Problem>{problem}</Problem>
        </div>
      )}
    </>
  );
}
