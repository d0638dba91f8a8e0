import { useAgents } from "@antiphon/client/react";
import { type ReactNode, useCallback } from "react";

import { useCommand } from "../app/keys";
import { navigate, useRoute } from "../app/navigation";
import { useWide } from "../ui/media";
import { AgentsMissing, NoAgent } from "./AgentsMissing";
import { Conversation } from "./Conversation";
import { NewThread } from "./NewThread";
import { ThreadList } from "./ThreadList";

/** Threads and one of them side by side; on narrow screens one after the other. */
export default function AgentsPage(): ReactNode {
  const asked = useRoute((route) => (route.page === "agents" ? route.agent : null));
  const thread = useRoute((route) => (route.page === "agents" ? route.thread : null));
  const { agents, known, problem } = useAgents();
  const wide = useWide();
  const first = agents[0]?.name ?? null;
  const begin = useCallback(() => navigate({ page: "agents", agent: asked ?? first, thread: null }), [asked, first]);
  useCommand("new-thread", begin, first !== null);
  if (!known) return <AgentsMissing problem={problem} />;
  const name = asked ?? (wide ? first : null);
  if (first === null) return <NoAgent name={null} />;
  const agent = agents.find((one) => one.name === name);
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] wide:grid-cols-[248px_minmax(0,1fr)] broad:grid-cols-[304px_minmax(0,1fr)]">
      {wide || name === null ? (
        <section aria-label="Threads" className="min-h-0 border-edge wide:border-r">
          <ThreadList agents={agents} selected={thread} onNew={begin} />
        </section>
      ) : null}
      {name === null ? null : thread !== null ? (
        <Conversation key={thread} id={thread} name={name} agent={agent} />
      ) : agent === undefined ? (
        <NoAgent name={name} />
      ) : (
        <NewThread key={name} agent={agent} agents={agents} />
      )}
    </div>
  );
}
