import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { useReadable } from "../lib/readable";
import { Notice, Snippet } from "../ui/Notice";

const ASKING = `answer = await run.ask(
    "Deploy to production?",
    options=["yes", "no"], timeout_s=3600, default="no",
)`;

const whole = <T,>(value: T): T => value;

/** Nobody has ever asked: how one asks. */
export function InboxEmpty(): ReactNode {
  return (
    <Notice title="No question is open">
      <p>What your agents ask appears here, and can be answered from any browser. In a run:</p>
      <Snippet>{ASKING}</Snippet>
    </Notice>
  );
}

/** The table has not come: not yet, or never. */
export function InboxMissing(): ReactNode {
  const problem = useReadable(useLive().problem, whole);
  if (problem?.code !== "forbidden") return <Notice title="Loading the questions" />;
  return (
    <Notice alert title="You may not read the questions">
      <p>{problem.message}</p>
    </Notice>
  );
}
