import { useConnection } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { useCommand } from "../app/keys";
import { Problem } from "../ui/Notice";
import { StateWord } from "../ui/Tone";
import { useRoom } from "./room";
import { useTask } from "./useTask";
import { bufferWords, hostWords } from "./words";

/** How the conversation stands, and the host's reins. */
export function ForumHead(): ReactNode {
  const { forum, view, isLive, callHost, stopHost } = useRoom();
  const task = useTask();
  const phase = useConnection().phase;
  const connected = phase === "live" || phase === "catching_up";
  const speaking = forum?.host.status === "speaking";
  const stop = (): void => task.run(stopHost);
  useCommand("close", stop, speaking && !task.pending);
  return (
    <div className="flex flex-col gap-2 px-4 pt-4 pb-3 wide:px-6 wide:pt-5">
      <div className="flex items-start gap-3">
        <div className="min-w-0 grow">
          <h1 className="truncate text-xl leading-[1.25] font-strong tracking-[-0.02em]">
            {isLive ? "Forum" : view.name}
          </h1>
          <Facts />
        </div>
        {forum === undefined || !isLive ? null : speaking ? (
          <button
            type="button"
            className="button thumb text-bad"
            title="Stop the host in mid-sentence (Esc)"
            disabled={task.pending || !connected}
            onClick={stop}
          >
            Stop the host
          </button>
        ) : (
          <button
            type="button"
            className="button thumb"
            disabled={task.pending || !connected}
            title="It speaks about what it has not heard, without waiting"
            onClick={() => task.run(callHost)}
          >
            Call the host now
          </button>
        )}
      </div>
      {task.problem === null ? null : <Problem onDismiss={task.dismiss}>{task.problem}</Problem>}
    </div>
  );
}

function Facts(): ReactNode {
  const { forum, isLive } = useRoom();
  if (!isLive) return <p className="mt-1 text-s text-dim">A replayed forum.log: it can be read, nobody talks there</p>;
  if (forum === undefined) return <p className="mt-1 text-s text-dim">Nothing was said here yet</p>;
  const { tone, busy, text } = hostWords(forum);
  return (
    <div className="facts num mt-1 flex flex-wrap gap-x-3 text-s text-dim">
      <span role="status">
        <StateWord tone={tone} busy={busy}>
          {text}
        </StateWord>
      </span>
      {forum.host.status === "speaking" ? null : <span>{bufferWords(forum)}</span>}
      <span className="hidden wide:inline">
        {forum.session === null ? "between sessions" : `session ${forum.session}`}
      </span>
    </div>
  );
}
