/** The words of runs and questions, as on the wire (snake_case; docs/runs.md). */

export type RunStatus = "queued" | "running" | "waiting" | "cancelling" | RunOutcome;

/** How a run ends; nothing follows. */
export type RunOutcome = "succeeded" | "failed" | "cancelled" | "lost";

const OUTCOMES: ReadonlySet<string> = new Set<RunOutcome>(["succeeded", "failed", "cancelled", "lost"]);

/** Whether a run in this status is over. */
export function isEnded(status: RunStatus | null): status is RunOutcome {
  return status !== null && OUTCOMES.has(status);
}

export interface RunError {
  readonly message: string;
  /** The kind of error in the owner's own words, e.g. the name of its class. */
  readonly type?: string | null;
}

/** Totals so far. */
export interface RunUsage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly total_tokens?: number;
  readonly cost_usd?: number;
  readonly model?: string;
}

export interface RunOwner {
  /** `remote`: another process, through a client; `local`: the server's own; `imported`: a file. */
  readonly kind: "remote" | "local" | "imported";
  readonly client: string | null;
  readonly pid?: number | null;
}

/** A run in a list: the state of channel `runs` is a table of them by id. Times are RFC 3339. */
export interface RunRow {
  readonly run_id: string;
  readonly name: string;
  readonly title: string | null;
  readonly status: RunStatus;
  /** Why it is in this status, in words. */
  readonly reason: string | null;
  readonly thread_id: string | null;
  readonly parent_run_id: string | null;
  /** Who started it. */
  readonly by: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** 0 to 1; null = not told. */
  readonly progress: number | null;
  readonly progress_message: string | null;
  readonly usage: RunUsage;
  /** How many are open. */
  readonly questions: number;
  readonly error: RunError | null;
  readonly owner: RunOwner;
  readonly on_disconnect: "continue" | "cancel";
  /** The tool that is at work; null = none. */
  readonly tool: string | null;
}

/** The state of channel `runs`. */
export type RunTable = Readonly<Record<string, RunRow>>;

export type QuestionKind = "choice" | "form" | "approval" | "text";

export type QuestionStatus = "open" | "answered" | "withdrawn";

export type AnswerAction = "answer" | "approve" | "edit" | "reject";

export interface QuestionOption {
  readonly value: unknown;
  readonly label?: string | null;
  readonly description?: string | null;
}

/** A question in a list: the state of channel `questions` is a table of them by id. Times are RFC 3339. */
export interface QuestionRow {
  readonly question_id: string;
  readonly run_id: string;
  readonly run_name: string;
  readonly kind: QuestionKind;
  readonly prompt: string;
  readonly details: string | null;
  /** What can be chosen; null = anything that fits the kind. */
  readonly options: readonly QuestionOption[] | null;
  /** JSON Schema of the answer (of the edited `value` for approvals); null = none. */
  readonly schema: unknown;
  /** What is to be approved. */
  readonly value: unknown;
  readonly status: QuestionStatus;
  /** Null = it waits as long as the run lives. */
  readonly deadline: string | null;
  /** At the deadline `default` becomes the answer; without one the question is withdrawn. */
  readonly has_default: boolean;
  readonly default: unknown;
  readonly asked_at: string;
  readonly ended_at: string | null;
  readonly action: AnswerAction | null;
  readonly answer: unknown;
  /** Who answered; null = nobody, or the default did. */
  readonly by: string | null;
  readonly is_default: boolean;
  /** Why it was withdrawn. */
  readonly reason: string | null;
}

/** The state of channel `questions`. */
export type QuestionTable = Readonly<Record<string, QuestionRow>>;

/** What `runs.cancel` did. On a run that had ended `status` is its outcome and both lists are empty. */
export interface CancelReceipt {
  readonly run_id: string;
  readonly status: RunStatus;
  /** These have ended, it and its children. */
  readonly stopped: readonly string[];
  /** These were told, and still close what they have open. */
  readonly draining: readonly string[];
}

export interface RunDetails {
  readonly run: RunRow;
  readonly input: unknown;
  readonly result: unknown;
  readonly error: RunError | null;
  readonly children: readonly RunRow[];
  readonly questions: readonly QuestionRow[];
}

export interface RunPage {
  /** Newest first. */
  readonly runs: readonly RunRow[];
  /** What can be started. */
  readonly names: readonly string[];
}

/** `status` is an outcome, or `running` where the time was over first. */
export interface RunResult {
  readonly status: RunStatus;
  readonly result: unknown;
  readonly error: RunError | null;
}

/** One event that the owner of a run, or a participant, emits. */
export interface RunEvent {
  readonly type: string;
  readonly data: unknown;
  /** 1 to 255 characters; a repetition under the same key counts once. */
  readonly idempotency_key?: string;
}
