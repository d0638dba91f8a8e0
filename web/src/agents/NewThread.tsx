import type { AgentRow } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { navigate } from "../app/navigation";
import { AgentIntro } from "./AgentIntro";
import { ask, usePickedModel } from "./asking";
import { BackLink } from "./BackLink";
import { Composer } from "./Composer";
import { agentTitle } from "./words";

interface NewProps {
  readonly agent: AgentRow;
  readonly agents: readonly AgentRow[];
}

/** Nothing has been asked yet: whom one asks, and what to expect. */
export function NewThread({ agent, agents }: NewProps): ReactNode {
  const live = useLive();
  const picked = usePickedModel(agent.name);
  const send = (prompt: string): void => {
    const model = picked !== null && agent.models.includes(picked) ? picked : null;
    const thread = ask(live, { agent: agent.name, thread: null, prompt, model });
    navigate({ page: "agents", agent: agent.name, thread });
  };
  return (
    <section aria-label="Conversation" className="flex min-h-0 min-w-0 flex-col">
      <div className="flex items-start gap-3 px-4 pt-4 pb-3 wide:px-6 wide:pt-5">
        <BackLink />
        <div className="min-w-0 grow">
          <h1 className="truncate text-xl leading-[1.25] font-strong tracking-[-0.02em]">{agentTitle(agent)}</h1>
          <p className="num mt-1 text-s text-dim">{agent.is_offline ? "No model: it answers offline" : agent.model}</p>
        </div>
      </div>
      <div className="min-h-0 grow overflow-y-auto px-4 pb-4 wide:px-6">
        <AgentIntro agent={agent} onAsk={send} />
      </div>
      <Composer agent={agent} agents={agents} thread={null} active={undefined} onSend={send} />
    </section>
  );
}
