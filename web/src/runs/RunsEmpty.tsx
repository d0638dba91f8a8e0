import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { useReadable } from "../lib/readable";
import { ALL_RUNS } from "../lib/route";
import { Notice, Snippet } from "../ui/Notice";

const ADOPT = `import antiphon

async with antiphon.connect() as live:
    async with live.run("hello", input={"name": "Ada"}) as run:
        async with run.message() as message:
            await message.append("Hello from my agent")`;

const whole = <T,>(value: T): T => value;

/** Nothing has run yet: the lines that change it. */
export function RunsEmpty({ start }: { readonly start: ReactNode }): ReactNode {
  return (
    <Notice title="No run yet" action={start ?? undefined}>
      <p>Put these lines around what your agent does. It may run in any process; this page shows it as it happens:</p>
      <Snippet>{ADOPT}</Snippet>
      <p>Or wrap a program as it is:</p>
      <Snippet>antiphon run -- python agent.py</Snippet>
    </Notice>
  );
}

export function NoMatch(): ReactNode {
  return (
    <Notice
      title="No run matches"
      action={
        <Link className="button" to={{ page: "runs", filter: ALL_RUNS }}>
          Show all runs
        </Link>
      }
    />
  );
}

/** The table has not come: not yet, or never. */
export function RunsMissing(): ReactNode {
  const problem = useReadable(useLive().problem, whole);
  if (problem?.code !== "forbidden") return <Notice title="Loading the runs" />;
  return (
    <Notice alert title="You may not read the runs">
      <p>{problem.message}</p>
    </Notice>
  );
}
