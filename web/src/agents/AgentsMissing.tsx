import type { AntiphonError, ServerInfo } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { useReadable } from "../lib/readable";
import { Notice, Snippet } from "../ui/Notice";

const AGENT = `[agent.assistant]
model = "offline"
tools = ["calculator", "clock"]`;

/** The server has not told which agents there are: not yet, or it will not. */
export function AgentsMissing({ problem }: { readonly problem: AntiphonError | null }): ReactNode {
  const live = useLive();
  if (problem === null) return <Notice title="Loading the agents" />;
  if (problem.code === "unknown_method") return <NoAgent name={null} />;
  return (
    <Notice
      alert
      title={problem.code === "forbidden" ? "You may not see the agents" : "The agents cannot be listed"}
      action={
        <button type="button" className="button" onClick={() => live.reconnect()}>
          Try again
        </button>
      }
    >
      <p>{problem.message}</p>
    </Notice>
  );
}

const hasAgents = (server: ServerInfo | undefined): boolean => server?.features.includes("agents") === true;

/** There is none, or not this one: the lines that change it. */
export function NoAgent({ name }: { readonly name: string | null }): ReactNode {
  const installed = useReadable(useLive().server, hasAgents);
  if (name === null && installed) return <Notice title="There is no agent that you may ask" />;
  return (
    <Notice
      title={name === null ? "This server has no agent" : `There is no agent called ${name}`}
      action={
        name === null ? undefined : (
          <Link className="button" to={{ page: "agents", agent: null, thread: null }}>
            All agents
          </Link>
        )
      }
    >
      {name === null ? (
        <>
          <p>Install what agents need:</p>
          <Snippet>{"pip install 'antiphon[agents]'"}</Snippet>
        </>
      ) : null}
      <p>
        Agents are named in <code>antiphon.toml</code>; start the server again when it is saved:
      </p>
      <Snippet>{AGENT.replace("assistant", name ?? "assistant")}</Snippet>
    </Notice>
  );
}
