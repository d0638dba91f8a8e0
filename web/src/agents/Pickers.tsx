import type { AgentRow } from "@antiphon/client";
import type { ReactNode } from "react";

import { navigate } from "../app/navigation";
import { pickModel, usePickedModel } from "./asking";
import { agentTitle } from "./words";

/** Whom one asks; a thread stays with its agent. */
export function AgentPicker({
  agent,
  agents,
}: {
  readonly agent: AgentRow;
  readonly agents: readonly AgentRow[];
}): ReactNode {
  if (agents.length < 2) return null;
  return (
    <select
      aria-label="Agent"
      className="picker"
      value={agent.name}
      onChange={(event) => navigate({ page: "agents", agent: event.target.value, thread: null }, { replace: true })}
    >
      {agents.map((one) => (
        <option key={one.name} value={one.name}>
          {agentTitle(one)}
        </option>
      ))}
    </select>
  );
}

/** Which model answers next. */
export function ModelPicker({ agent }: { readonly agent: AgentRow }): ReactNode {
  const picked = usePickedModel(agent.name);
  if (agent.models.length < 2) return null;
  return (
    <select
      aria-label="Model"
      className="picker"
      value={picked !== null && agent.models.includes(picked) ? picked : agent.model}
      onChange={(event) => pickModel(agent.name, event.target.value)}
    >
      {agent.models.map((model) => (
        <option key={model}>{model}</option>
      ))}
    </select>
  );
}
