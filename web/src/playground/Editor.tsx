import { type ReactNode, useRef, useState } from "react";
import { useStore } from "zustand";

import { bytes, utf8Length } from "../lib/format";
import { jsonProblem } from "./frames";
import type { PlaygroundSocket } from "./socket";
import { type Template, templateText, withNextId } from "./templates";

/** What to send: begin with a template, change it, send it. */
export function Editor({
  socket,
  templates,
}: {
  readonly socket: PlaygroundSocket;
  readonly templates: readonly Template[];
}): ReactNode {
  const open = useStore(socket.state, (state) => state.phase === "open");
  const next = useRef(1);
  const [text, setText] = useState(() => (templates[0] === undefined ? "{}" : templateText(templates[0], 1)));
  const problem = jsonProblem(text);

  const send = (): void => {
    if (!open || problem !== null) return;
    socket.send(text);
    next.current++;
    setText(withNextId(text, next.current));
  };
  return (
    <section
      aria-label="Message"
      className="flex flex-none flex-col gap-3 border-b border-edge p-4 broad:w-[400px] broad:border-r broad:border-b-0 broad:pl-6"
    >
      <div
        className="no-bar flex flex-none flex-nowrap gap-1 overflow-x-auto broad:flex-wrap"
        role="group"
        aria-label="Templates"
      >
        {templates.map((template) => (
          <button
            key={template.name}
            type="button"
            className="button small font-mono"
            onClick={() => setText(templateText(template, next.current))}
          >
            {template.name}
          </button>
        ))}
      </div>
      <textarea
        className="field h-[132px] resize-none font-mono text-s leading-[20px] broad:h-auto broad:grow"
        aria-label="Message to send, JSON"
        aria-invalid={problem !== null}
        aria-describedby="playground-problem"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          send();
        }}
      />
      <div className="flex items-center gap-3">
        <button type="button" className="button main" disabled={!open || problem !== null} onClick={send}>
          Send <kbd className="border-current text-[inherit]">Ctrl ↵</kbd>
        </button>
        <span
          id="playground-problem"
          role="status"
          className={`num min-w-0 truncate text-s ${problem === null ? "text-dim" : "text-bad"}`}
          title={problem ?? undefined}
        >
          {problem ?? (open ? bytes(utf8Length(text)) : "Connect first")}
        </span>
      </div>
    </section>
  );
}
