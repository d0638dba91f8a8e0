import type { QuestionRow } from "@antiphon/client";
import { type ReactNode, useEffect, useRef } from "react";

import { useCommand } from "../app/keys";
import { Link } from "../app/Link";
import { plural } from "../lib/format";
import { Earlier } from "./Earlier";
import { InboxEmpty, InboxMissing } from "./InboxEmpty";
import { QuestionCard } from "./QuestionCard";
import { QuestionLine } from "./QuestionLine";
import { useInbox } from "./useInbox";

/** Every question that waits for a person, the most urgent first. */
export default function InboxPage(): ReactNode {
  const { list, chosen, choose, move } = useInbox();
  useCommand("next-question", () => move(1));
  useCommand("previous-question", () => move(-1));
  useCommand("next-item", () => move(1));
  useCommand("previous-item", () => move(-1));
  if (list === null) return <InboxMissing />;
  const open = list.shown.filter((row) => row.status === "open").length;
  if (list.shown.length === 0 && list.earlier.length === 0) return <InboxEmpty />;
  return (
    <div className="h-full overflow-auto p-4 wide:px-6 wide:py-5">
      <div className="max-w-[820px]">
        <h1 className="text-xl leading-[1.25] font-strong tracking-[-0.02em]">Inbox</h1>
        <p className="num mt-1 mb-5 text-s text-dim" role="status">
          {open === 0 ? "No question is open." : plural(open, "open question")}
        </p>
        <ul aria-label="Questions" className="flex flex-col gap-3">
          {list.shown.map((question) => (
            <li key={question.question_id}>
              {question.question_id === chosen ? (
                <Chosen question={question} />
              ) : (
                <QuestionLine question={question} onChoose={() => choose(question.question_id)} />
              )}
            </li>
          ))}
        </ul>
        <Earlier rows={list.earlier} />
      </div>
    </div>
  );
}

/** The one that the keys act on: open, with all there is to know. */
function Chosen({ question }: { readonly question: QuestionRow }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <div ref={box} className="scroll-my-4">
      <p className="mb-1 flex flex-wrap gap-x-3 text-s text-dim">
        <Link className="underline hover:text-text" to={{ page: "run", id: question.run_id, at: null }}>
          {question.run_name === "" ? question.run_id : question.run_name}
        </Link>
        <span className="hidden truncate font-mono text-faint wide:inline">{question.run_id}</span>
      </p>
      <QuestionCard question={question} keys />
    </div>
  );
}
