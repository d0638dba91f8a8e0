import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";

import { useCommand } from "../app/keys";
import { usePane, useSearch } from "./pane";

const TYPING_MS = 220;

/** Searches the whole log on the server, a moment after one stops typing. */
export function SearchBox(): ReactNode {
  const { searching, reader } = usePane();
  const text = useSearch((state) => state.text);
  const ignoreCase = useSearch((state) => state.ignoreCase);
  const input = useRef<HTMLInputElement>(null);
  useCommand("search", () => input.current?.select());
  useEffect(() => {
    const timer = setTimeout(() => void searching.run(reader.state.getState().head), text === "" ? 0 : TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, ignoreCase, searching, reader]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      searching.clear();
      input.current?.blur();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const offset = searching.step(event.shiftKey ? -1 : 1);
      if (offset !== null) void reader.seek(offset, true);
    }
  };
  return (
    <div className="flex min-w-[200px] grow items-center gap-2 wide:max-w-[420px]">
      <div className="relative min-w-0 grow">
        <input
          ref={input}
          type="search"
          className="field w-full pr-6 text-s"
          placeholder="Search the whole log"
          aria-label="Search the whole log"
          value={text}
          onChange={(event) => searching.type(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {text === "" ? (
          <kbd className="pointer-events-none absolute top-[5px] right-2 hidden leading-[16px] wide:block">/</kbd>
        ) : null}
      </div>
      <button
        type="button"
        className={`button small leading-[22px] ${ignoreCase ? "text-dim" : "on"}`}
        aria-pressed={!ignoreCase}
        title="Distinguish capital letters"
        aria-label="Distinguish capital letters"
        onClick={() => searching.setIgnoreCase(!ignoreCase)}
      >
        Aa
      </button>
    </div>
  );
}
