import type { AgentRow, ThreadRow } from "@antiphon/client";
import { useLive, useThreads } from "@antiphon/client/react";
import { type ReactNode, useState } from "react";

import { useCommand } from "../app/keys";
import { navigate } from "../app/navigation";
import { useReadable } from "../lib/readable";
import { ThreadLine } from "./ThreadLine";
import { agentTitle } from "./words";

/** From this many on a filter helps. */
const MANY = 10;
/** More are drawn when asked for. */
const NEWEST = 100;

interface ListProps {
  readonly agents: readonly AgentRow[];
  readonly selected: string | null;
  readonly onNew: () => void;
}

/** Every conversation, the one used last first. */
export function ThreadList({ agents, selected, onNew }: ListProps): ReactNode {
  const { threads, known } = useThreads();
  const [filter, setFilter] = useState("");
  const [room, setRoom] = useState(NEWEST);
  const found = threads.filter((thread) => thread.title.toLowerCase().includes(filter.trim().toLowerCase()));
  const shown = found.slice(0, room);
  const move = (by: 1 | -1): void => {
    const at = shown.findIndex((thread) => thread.thread_id === selected);
    const next = shown[at < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, at + by))];
    if (next !== undefined && next.thread_id !== selected) open(next);
  };
  useCommand("next-item", () => move(1));
  useCommand("previous-item", () => move(-1));
  const title = (name: string): string | null =>
    agents.length < 2 ? null : agentTitle(agents.find((agent) => agent.name === name) ?? { name, title: null });
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-col gap-2 p-2 pb-0">
        <button type="button" className="button thumb w-full" onClick={onNew}>
          New thread
        </button>
        {threads.length < MANY ? null : (
          <input
            className="field w-full text-s"
            type="search"
            placeholder="Filter by title"
            aria-label="Filter by title"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        )}
      </div>
      <ul aria-label="Threads" className="flex min-h-0 grow flex-col gap-[2px] overflow-y-auto p-2">
        {shown.map((thread) => (
          <ThreadLine
            key={thread.thread_id}
            thread={thread}
            agent={title(thread.agent)}
            selected={thread.thread_id === selected}
          />
        ))}
        {found.length > room ? (
          <li>
            <button type="button" className="button small m-2" onClick={() => setRoom(room + NEWEST)}>
              Show older
            </button>
          </li>
        ) : null}
        {known ? null : <NotKnown />}
        {found.length > 0 || !known ? null : (
          <li className="px-2 py-1 text-dim">
            {filter === "" ? "No thread yet. Every question begins one." : `No title contains “${filter}”.`}
          </li>
        )}
      </ul>
    </div>
  );
}

const whole = <T,>(value: T): T => value;

/** The table has not come: not yet, or never. */
function NotKnown(): ReactNode {
  const problem = useReadable(useLive().problem, whole);
  if (problem?.code !== "forbidden") return null;
  return <li className="px-2 py-1 text-dim">You may not see the threads: {problem.message}</li>;
}

function open({ agent, thread_id: thread }: ThreadRow): void {
  navigate({ page: "agents", agent, thread }, { replace: true });
  requestAnimationFrame(() =>
    document.querySelector(`[data-thread="${CSS.escape(thread)}"]`)?.scrollIntoView({ block: "nearest" }),
  );
}
