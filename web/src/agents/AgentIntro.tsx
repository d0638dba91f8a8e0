import type { AgentRow, ToolRow } from "@antiphon/client";
import type { ReactNode } from "react";

import { Snippet } from "../ui/Notice";
import { examplesFor } from "./words";

interface IntroProps {
  readonly agent: AgentRow;
  readonly onAsk: (prompt: string) => void;
}

/** What the agent is, what it can call, and, where it has no model, what that means. */
export function AgentIntro({ agent, onAsk }: IntroProps): ReactNode {
  const examples = examplesFor(agent);
  return (
    <div className="flex max-w-[820px] flex-col gap-5">
      {agent.description === null ? null : <p className="[overflow-wrap:anywhere]">{agent.description}</p>}
      {agent.is_offline ? <Offline name={agent.name} /> : null}
      <Tools tools={agent.tools} />
      {examples.length === 0 ? null : (
        <section aria-label="Examples">
          <h2 className="mb-2 text-s font-medium text-dim">Try</h2>
          <div className="flex flex-wrap gap-2">
            {examples.map((example) => (
              <button key={example} type="button" className="button thumb" onClick={() => onAsk(example)}>
                {example}
              </button>
            ))}
          </div>
        </section>
      )}
    </div>
  );
}

function Offline({ name }: { readonly name: string }): ReactNode {
  return (
    <section aria-label="Offline" className="flex flex-col gap-2">
      <p>
        This agent has no model. It calls its tools and tells what they say; it invents nothing, and says so where no
        tool fits.
      </p>
      <details>
        <summary className="cursor-pointer text-s text-dim hover:text-text">Give it a model</summary>
        <div className="mt-2 flex flex-col gap-2 text-dim">
          <p>
            Any server with OpenAI&apos;s interface will do, also one on this machine. In <code>antiphon.toml</code>:
          </p>
          <Snippet>{modelLines(name)}</Snippet>
        </div>
      </details>
    </section>
  );
}

const modelLines = (name: string): string => `[model.local]
provider = "openai"
name = "qwen3:8b"
base_url = "http://127.0.0.1:11434/v1"

[agent.${name}]
model = "local"`;

function Tools({ tools }: { readonly tools: readonly ToolRow[] }): ReactNode {
  if (tools.length === 0) return null;
  return (
    <section aria-label="Tools">
      <h2 className="mb-2 text-s font-medium text-dim">Tools</h2>
      <dl className="grid gap-x-4 gap-y-1 wide:grid-cols-[auto_minmax(0,1fr)]">
        {tools.map((tool) => (
          <div key={tool.name} className="contents">
            <dt className="font-mono text-s leading-[20px] [overflow-wrap:anywhere]">{tool.name}</dt>
            <dd className="mb-1 text-s leading-[20px] text-dim wide:mb-0">
              {firstSentence(tool.description)}
              {tool.needs_approval ? <span className="text-wait"> · asks you first</span> : null}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** What a tool does; the rest of its description is for models. */
const firstSentence = (text: string): string => /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
