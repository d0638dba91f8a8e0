/** What runs ask of people. */

import { useCallback } from "react";
import { filterQuestions } from "../src/index.js";
import type { AnswerAction, QuestionFilter, QuestionRow } from "../src/index.js";
import { useLive } from "./provider.js";
import { useRows } from "./tables.js";

export interface UsedQuestions {
  /** Those that must be answered first come first. */
  readonly questions: readonly QuestionRow[];
  /** False until the table has arrived. */
  readonly known: boolean;
  /** Throws AntiphonError `already_answered` where somebody was faster, `invalid_params` with a `pointer` for what does not fit. */
  readonly answer: (questionId: string, answer?: unknown, action?: AnswerAction) => Promise<QuestionRow>;
  readonly withdraw: (questionId: string) => Promise<void>;
}

const OPEN: QuestionFilter = { status: "open" };

/** The questions that pass the filter, by default the open ones; renders only when one of them changes. */
export function useQuestions(filter: QuestionFilter = OPEN): UsedQuestions {
  const live = useLive();
  const { rows, known } = useRows("questions", filterQuestions, filter);
  const answer = useCallback(
    (questionId: string, given?: unknown, action?: AnswerAction) => live.questions.answer(questionId, given, action),
    [live],
  );
  const withdraw = useCallback((questionId: string) => live.questions.withdraw(questionId), [live]);
  return { questions: rows, known, answer, withdraw };
}
