import type { ReactNode } from "react";

import { Notice, Snippet } from "../ui/Notice";
import { LogView } from "./LogView";
import { usePane, useReader } from "./pane";
import { isAlive } from "./status";
import { useFile, useProcess, useTablesLoaded } from "./tables";

/** The log, or why there is none to see. */
export function LogBody(): ReactNode {
  const { reader } = usePane();
  const phase = useReader((state) => state.phase);
  const error = useReader((state) => state.error);
  const empty = useReader((state) => state.head < state.oldest && state.window.entries.length === 0);
  if (phase === "failed") {
    const retry = (
      <button type="button" className="button" onClick={() => void reader.open()}>
        Try again
      </button>
    );
    return (
      <div className="min-h-0 grow">
        <Notice alert title="This log cannot be read" action={retry}>
          <p>{error?.message}</p>
        </Notice>
      </div>
    );
  }
  if (phase === "ready" && empty) return <Empty />;
  return <LogView />;
}

function Empty(): ReactNode {
  const { name, kind } = usePane();
  const row = useProcess(name);
  const file = useFile(name);
  const loaded = useTablesLoaded();
  if (!loaded) return <div className="min-h-0 grow" />; // it may exist
  return (
    <div className="min-h-0 grow">
      {row !== undefined ? (
        <Notice title="No line yet">
          <p>
            {isAlive(row)
              ? "The program runs, but it has not written anything so far."
              : "Start the program to see what it writes."}
          </p>
          {isAlive(row) ? (
            <p>
              Some programs hold their output back when it does not go to a terminal. For Python, set
              PYTHONUNBUFFERED=1.
            </p>
          ) : null}
        </Notice>
      ) : file !== undefined ? (
        <Notice title="No line yet">
          <p>
            {file.status === "waiting"
              ? "The file does not exist yet. It is read as soon as it appears:"
              : "The file is empty. New lines appear here as they are written:"}
          </p>
          <Snippet>{file.path}</Snippet>
        </Notice>
      ) : (
        <Notice title={kind === null ? `There is no log called ${name}` : "No line yet"}>
          <p>Lines appear here as soon as a program of this name writes some:</p>
          <Snippet>{`antiphon run --name ${name} -- COMMAND`}</Snippet>
        </Notice>
      )}
    </div>
  );
}
