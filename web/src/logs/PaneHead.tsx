import { type ReactNode, useState } from "react";

import { Link } from "../app/Link";
import { useNow } from "../lib/clock";
import { bytes } from "../lib/format";
import { BackIcon } from "../ui/icons";
import { Problem } from "../ui/Notice";
import { StateWord } from "../ui/Tone";
import { dismissProblem, useAction } from "./actions";
import { usePane } from "./pane";
import { ProcessButtons } from "./ProcessButtons";
import { factsOf, isListening, statusWords } from "./status";
import { StdinBox } from "./StdinBox";
import { useFile, useProcess } from "./tables";

/** Name, state and commands of what writes this log. */
export function PaneHead(): ReactNode {
  const { name } = usePane();
  const row = useProcess(name);
  const { problem } = useAction(name);
  const [writing, setWriting] = useState(false);
  return (
    <div className="flex flex-col gap-2 px-4 pt-4 pb-3 wide:pt-5">
      <div className="flex items-start gap-3">
        <Link
          to={{ page: "logs", name: null, at: null }}
          aria-label="All logs"
          className="button quiet icon wide:hidden"
        >
          <BackIcon />
        </Link>
        <div className="min-w-0 grow">
          <h1 className="truncate text-xl leading-[1.25] font-strong tracking-[-0.02em]">{name}</h1>
          <Meta name={name} />
        </div>
        {row === undefined ? null : (
          <div className="actions flex flex-none gap-2">
            {row.stdin && isListening(row) ? (
              <button
                type="button"
                className={`button ${writing ? "on" : ""}`}
                aria-pressed={writing}
                onClick={() => setWriting(!writing)}
              >
                Write
              </button>
            ) : null}
            <ProcessButtons name={name} row={row} words />
          </div>
        )}
      </div>
      {row?.reason === undefined || row.reason === null ? null : <p className="text-s text-dim">{row.reason}</p>}
      {problem === null ? null : <Problem onDismiss={() => dismissProblem(name)}>{problem}</Problem>}
      {writing && row?.stdin === true ? <StdinBox name={name} onClose={() => setWriting(false)} /> : null}
    </div>
  );
}

function Meta({ name }: { readonly name: string }): ReactNode {
  const now = useNow();
  const row = useProcess(name);
  const file = useFile(name);
  if (row !== undefined) {
    const { tone, busy, text } = statusWords(row);
    return (
      <div className="facts num mt-1 flex flex-wrap gap-x-3 text-s text-dim">
        <StateWord tone={tone} busy={busy}>
          {text}
        </StateWord>
        {factsOf(row, now).map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
        {row.pid === null ? null : <span>pid {row.pid}</span>}
        {row.port === null ? null : <span>port {row.port}</span>}
        {row.source === "run" ? <span>antiphon run</span> : null}
      </div>
    );
  }
  if (file === undefined) return <div className="mt-1 text-s text-dim">channel log:{name}</div>;
  return (
    <div className="num mt-1 flex flex-wrap gap-x-3 text-s text-dim">
      <StateWord tone={file.status === "following" ? "run" : "stop"}>{file.status}</StateWord>
      <span className="break-all">{file.path}</span>
      {file.size_bytes === null ? null : <span>{bytes(file.size_bytes)}</span>}
    </div>
  );
}
