/** One run: what it says, its state, and the way to cancel it. */

import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { AntiphonError, CancelReceipt, ConnectionState, MessageItem, QuestionRow, RunView, TimelineItem, ToolItem } from "../src/index.js";
import { sharedRun } from "../src/run/store.js";
import { useConnection, useLive } from "./provider.js";

export interface UsedRun<TState = unknown> extends RunView<TState> {
  /** The messages of `items`. */
  readonly messages: readonly MessageItem[];
  /** The tool calls of `items`. */
  readonly toolCalls: readonly ToolItem[];
  /** The questions that are open. */
  readonly questions: readonly QuestionRow[];
  /** What was said before we came has been read. */
  readonly caughtUp: boolean;
  /** What ended the reading, e.g. `forbidden`; null = it goes on. (`error` is why the run itself failed.) */
  readonly problem: AntiphonError | null;
  readonly connection: ConnectionState;
  /** Throws AntiphonError. */
  readonly cancel: (reason?: string) => Promise<CancelReceipt>;
}

/** Follows the run from its beginning; renders at most once per animation frame. All who ask share one reading of it. */
/* eslint @typescript-eslint/no-unnecessary-type-parameters: ["off"] -- the caller says what the state is */
export function useRun<TState = unknown>(runId: string): UsedRun<TState> {
  const live = useLive();
  const connection = useConnection();
  const store = useMemo(() => sharedRun(live, runId), [live, runId]);
  const { view, caughtUp, error: problem } = useSyncExternalStore(store.subscribe, store.get, store.get);
  const { items } = view;
  const messages = useMemo(() => items.filter(isMessage), [items]);
  const toolCalls = useMemo(() => items.filter(isToolCall), [items]);
  const cancel = useCallback((reason?: string) => live.runs.cancel(runId, reason), [live, runId]);
  const run = view as RunView<TState>;
  return { ...run, messages, toolCalls, questions: run.openQuestions, caughtUp, problem, connection, cancel };
}

function isMessage(item: TimelineItem): item is MessageItem {
  return item.kind === "message";
}

function isToolCall(item: TimelineItem): item is ToolItem {
  return item.kind === "tool";
}
