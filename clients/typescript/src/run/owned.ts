/** The face of a run that this program owns: what an agent says and asks. */

import type { AntiphonError } from "../errors.js";
import type { PatchOperation } from "../patch.js";
import type { NewRun } from "./requests.js";
import type { AnswerAction, QuestionKind, QuestionOption, RunRow, RunUsage } from "./rows.js";
import type { LogLevel, MessageRole } from "./view.js";

export interface OpenRun extends NewRun {
  /** After so long without a sign of this program the run counts as `lost`. 2 to 3600, default 15. Timers of hidden pages are slow: give pages 120 or more. */
  readonly leaseS?: number;
  /** What this program calls itself. Default `typescript`. */
  readonly client?: string;
  /** Hears of events that the server refused, and that were left out. */
  readonly onProblem?: (error: AntiphonError) => void;
  /** Gives up waiting for the run to be opened. */
  readonly signal?: AbortSignal;
}

export interface NewQuestion {
  readonly prompt: string;
  /** Default: `choice` with options, `approval` with a value, `form` with a schema, otherwise `text`. */
  readonly kind?: QuestionKind;
  readonly details?: string;
  /** A text stands for an option with that value. */
  readonly options?: readonly (QuestionOption | string)[];
  /** JSON Schema of the answer, or of the value that may be edited. */
  readonly schema?: unknown;
  /** What is to be approved. */
  readonly value?: unknown;
  /** After so long `default` is the answer; without a default the question is withdrawn. Default: it waits for ever. */
  readonly timeoutS?: number;
  readonly default?: unknown;
}

export interface Answer<T = unknown> {
  readonly questionId: string;
  /** Not checked here; the server checked it against options or schema. */
  readonly answer: T;
  readonly action: AnswerAction;
  /** Null = nobody; the default counted. */
  readonly by: string | null;
  readonly isDefault: boolean;
}

/**
 * Text that grows. What is returned resolves when there is room to say more: awaiting it makes a fast model wait for a slow
 * network. It rejects with `run_cancelled` after a cancel, so that a loop that awaits it ends; not awaiting it is fine, too.
 */
export interface OwnedMessage {
  readonly id: string;
  append(delta: string): Promise<void>;
  /** Default: `completed`, or `cancelled` after a cancel. Twice is once. */
  close(status?: "completed" | "cancelled" | "failed"): Promise<void>;
}

export interface OwnedTool {
  readonly id: string;
  /** The next piece of its arguments, which are JSON. */
  args(delta: string): Promise<void>;
  /** 0 to 1. */
  progress(progress: number | null, message?: string): Promise<void>;
  /** One of these three ends it; what comes after that is ignored. */
  succeed(result?: unknown): Promise<void>;
  fail(error: unknown): Promise<void>;
  cancel(): Promise<void>;
}

export interface OwnedRun {
  readonly id: string;
  readonly channel: string;
  /** As it was opened. */
  readonly row: RunRow;
  /** Fires when the run is cancelled, or out of our hands; its `reason` is an AntiphonError (`run_cancelled`, `lease_lost`, ...). */
  readonly signal: AbortSignal;
  /** Begin a message, by default the assistant's. Throws AntiphonError `run_cancelled` after a cancel. */
  message(role?: MessageRole): OwnedMessage;
  /** Begin a tool call; `args`, if given, are all of its arguments. Throws AntiphonError `run_cancelled` after a cancel. */
  tool(name: string, args?: unknown, parent?: OwnedMessage): OwnedTool;
  /** Default level: `info`. */
  log(text: string, level?: LogLevel, logger?: string): Promise<void>;
  /** 0 to 1. */
  progress(progress: number | null, message?: string): Promise<void>;
  /** Totals so far. */
  usage(totals: RunUsage): Promise<void>;
  /** Change the run's state: RFC 6902, all operations or none. */
  patch(operations: readonly PatchOperation[]): Promise<void>;
  /** An event of the application's own; `type` begins with `x.`. */
  emit(type: `x.${string}`, data: unknown): Promise<void>;
  /**
   * Waits for the answer as long as it takes. Throws AntiphonError: `run_cancelled` after a cancel, `withdrawn` where the question was
   * withdrawn or its deadline passed without a default. `T` is the caller's promise.
   */
  ask<T = unknown>(question: NewQuestion): Promise<Answer<T>>;
  /** Resolves once all that was said is stored. Throws the first refusal since the last flush. */
  flush(): Promise<void>;
  /** The run has succeeded, after all that was said. A run that was cancelled ends as `cancelled`: see the row. */
  finish(result?: unknown): Promise<RunRow>;
  /** The run has failed. */
  fail(error: unknown): Promise<RunRow>;
  /** The run has given up by itself. */
  cancelled(reason?: string): Promise<RunRow>;
}
