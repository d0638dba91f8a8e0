/** The list, and which question is chosen. */

import type { QuestionTable } from "@antiphon/client";
import { useChannelState } from "@antiphon/client/react";
import { useEffect, useMemo, useState } from "react";

import { navigate, useRoute } from "../app/navigation";
import { type InboxList, inboxOrder, step } from "./order";

export interface Inbox {
  readonly list: InboxList | null; // null = not known yet
  readonly chosen: string | null;
  readonly choose: (id: string) => void;
  readonly move: (by: 1 | -1) => void;
}

const NOBODY: ReadonlySet<string> = new Set();
const whole = (table: QuestionTable): QuestionTable => table;

export function useInbox(): Inbox {
  const table = useChannelState("questions", whole);
  const seen = useSeen(table);
  const asked = useRoute((route) => (route.page === "inbox" ? route.question : null));
  const list = useMemo(
    () => (table === undefined ? null : inboxOrder(table, asked === null ? seen : new Set([...seen, asked]))),
    [table, seen, asked],
  );
  const first = list?.shown.find((row) => row.status === "open")?.question_id ?? null;
  const kept = useKept(first);
  const chosen = asked ?? kept;
  const choose = (id: string): void => navigate({ page: "inbox", question: id }, { replace: true });
  const move = (by: 1 | -1): void => {
    const next = step(list?.shown ?? [], chosen, by);
    if (next !== undefined && next.question_id !== chosen) choose(next.question_id);
  };
  return { list, chosen, choose, move };
}

/** Questions that were open since this page is shown: they stay where they are when they end. */
function useSeen(table: QuestionTable | undefined): ReadonlySet<string> {
  const [seen, setSeen] = useState(NOBODY);
  useEffect(() => {
    const open = Object.values(table ?? {}).filter((row) => row.status === "open" && !seen.has(row.question_id));
    if (open.length > 0) setSeen(new Set([...seen, ...open.map((row) => row.question_id)]));
  }, [table, seen]);
  return seen;
}

/** The most urgent one when the page was opened; another one that becomes more urgent does not push it aside. */
function useKept(first: string | null): string | null {
  const [kept, setKept] = useState<string | null>(null);
  useEffect(() => {
    setKept((now) => now ?? first);
  }, [first]);
  return kept ?? first;
}
