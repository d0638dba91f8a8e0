import { isEnded } from "@antiphon/client";
import { useRun, useRuns } from "@antiphon/client/react";
import { useState } from "react";

export function App() {
  const { runs } = useRuns({ limit: 20 });
  const [chosen, choose] = useState<string>();
  const id = chosen ?? runs[0]?.run_id;
  return (
    <main>
      <nav>
        {runs.map(({ run_id, name, status }) => <button key={run_id} onClick={() => choose(run_id)}>{name}: {status}</button>)}
      </nav>
      {id === undefined ? <p>No run yet.</p> : <RunPage key={id} id={id} />}
    </main>
  );
}

function RunPage({ id }: { id: string }) {
  const { name, status, reason, messages, toolCalls, error, problem, connection, cancel } = useRun(id);
  const [refusal, setRefusal] = useState("");
  if (problem !== null) return <p role="alert">{problem.message}</p>;
  const underWay = status !== null && !isEnded(status);
  return (
    <article>
      <h1>{name ?? id}</h1>
      <p role="status">{[status, reason, error?.message, connection.phase].filter(Boolean).join(" · ")}</p>
      {messages.map(({ key, role, text }) => <p key={key}><b>{role}</b> {text}</p>)}
      {toolCalls.map((tool) => <p key={tool.key}><code>{tool.name}({tool.argumentsText})</code> {tool.status}</p>)}
      {underWay && <button onClick={() => void cancel().catch((late: Error) => setRefusal(late.message))}>Cancel</button>}
      {refusal && <p role="alert">{refusal}</p>}
    </article>
  );
}
