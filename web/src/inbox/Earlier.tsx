import type { QuestionRow } from "@antiphon/client";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { Outcome } from "./Outcome";

/** What was asked before, and how it ended. */
export function Earlier({ rows }: { readonly rows: readonly QuestionRow[] }): ReactNode {
  if (rows.length === 0) return null;
  return (
    <section aria-label="Earlier questions">
      <h2 className="mt-6 mb-2 text-s font-medium text-dim">Earlier</h2>
      <ul>
        {rows.map((question) => (
          <li key={question.question_id} className="border-t border-edge py-2">
            <Link
              className="block truncate hover:underline"
              to={{ page: "run", id: question.run_id, at: null }}
              title={question.prompt}
            >
              {question.prompt} <span className="text-s text-faint">{question.run_name}</span>
            </Link>
            <Outcome question={question} />
          </li>
        ))}
      </ul>
    </section>
  );
}
