/** What a run looks like to somebody who watches it. All values are immutable: what did not change stays the same object. */

import type { QuestionRow, RunError, RunStatus, RunUsage } from "./rows.js";

interface Entry {
  /** Unique in its run and the same for ever: a key for lists. */
  readonly key: string;
  /** RFC 3339: when it began; null = before what we know. */
  readonly at: string | null;
  /** The offset of the event it began with. */
  readonly offset: number;
}

export type MessageRole = "user" | "assistant" | "reasoning" | "system";

export interface MessageItem extends Entry {
  readonly kind: "message";
  readonly id: string;
  readonly role: MessageRole | (string & {});
  readonly text: string;
  /** `open` = still growing; `unknown` = its end was lost. */
  readonly status: "open" | "completed" | "cancelled" | "failed" | "unknown";
}

export interface ToolItem extends Entry {
  readonly kind: "tool";
  readonly id: string;
  readonly name: string;
  /** The message that called it; null = none was named. */
  readonly parentMessageId: string | null;
  /** JSON that may still be growing. */
  readonly argumentsText: string;
  readonly status: "running" | "succeeded" | "failed" | "cancelled" | "unknown";
  /** 0 to 1; null = not told. */
  readonly progress: number | null;
  /** What its last progress said. */
  readonly message: string | null;
  readonly result: unknown;
  readonly error: RunError | null;
  readonly durationMs: number | null;
}

export type LogLevel = "debug" | "info" | "warning" | "error" | "critical";

export interface LogItem extends Entry {
  readonly kind: "log";
  readonly level: LogLevel;
  readonly text: string;
  readonly logger: string | null;
}

export interface QuestionItem extends Entry {
  readonly kind: "question";
  readonly id: string;
  readonly question: QuestionRow;
}

export interface ChildItem extends Entry {
  readonly kind: "child";
  readonly runId: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly endedAt: string | null;
}

/** An application's own event; `type` begins with `x.`. */
export interface CustomItem extends Entry {
  readonly kind: "custom";
  readonly type: string;
  readonly data: unknown;
  readonly by: string | null;
}

/** Events that are gone; state and open messages were made good. */
export interface GapItem extends Entry {
  readonly kind: "gap";
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export type TimelineItem = MessageItem | ToolItem | LogItem | QuestionItem | ChildItem | CustomItem | GapItem;

/** `TState`: what the application keeps in the run's state; the caller's promise, not checked. */
export interface RunView<TState = unknown> {
  readonly runId: string;
  /** Null until the run's first event is known; it stays null where that event is gone. */
  readonly name: string | null;
  readonly title: string | null;
  /** Null until known. */
  readonly status: RunStatus | null;
  /** Why it is in this status, in words. */
  readonly reason: string | null;
  /** Who started it. */
  readonly by: string | null;
  /** Who asked for the end. */
  readonly cancelledBy: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: unknown;
  readonly result: unknown;
  readonly error: RunError | null;
  /** RFC 3339. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** 0 to 1; null = not told. */
  readonly progress: number | null;
  readonly progressMessage: string | null;
  readonly usage: RunUsage;
  readonly threadId: string | null;
  readonly parentRunId: string | null;
  /** The timeline, in the order in which things began. */
  readonly items: readonly TimelineItem[];
  readonly state: TState;
  /** The offset of the last change of `state`; 0 = never. */
  readonly stateVersion: number;
  readonly openQuestions: readonly QuestionRow[];
  /** The last event that is in here. */
  readonly lastOffset: number;
}

/** Nothing known yet. */
export function emptyRun(runId: string): RunView {
  return {
    runId,
    name: null,
    title: null,
    status: null,
    reason: null,
    by: null,
    cancelledBy: null,
    labels: {},
    input: null,
    result: null,
    error: null,
    startedAt: null,
    endedAt: null,
    progress: null,
    progressMessage: null,
    usage: {},
    threadId: null,
    parentRunId: null,
    items: [],
    state: {},
    stateVersion: 0,
    openQuestions: [],
    lastOffset: 0,
  };
}
