/** Runs: watching, asking, owning. */

export { filterQuestions, filterRuns } from "./filter.js";
export type { QuestionFilter, RunFilter } from "./filter.js";
export { foldRun, RunFolder } from "./fold.js";
export { newRunId, newThreadId } from "./ids.js";
export type { AnswerParams, AskParams, NewRunParams, OpenRunParams, RunListParams } from "./methods.js";
export type { Answer, NewQuestion, OpenRun, OwnedMessage, OwnedRun, OwnedTool } from "./owned.js";
export { RunRecording } from "./recording.js";
export type { RecordedItem } from "./recording.js";
export type { NewRun, Questions, RunQuery, Runs } from "./requests.js";
export { isEnded } from "./rows.js";
export type {
  AnswerAction,
  CancelReceipt,
  QuestionKind,
  QuestionOption,
  QuestionRow,
  QuestionStatus,
  QuestionTable,
  RunDetails,
  RunError,
  RunEvent,
  RunOutcome,
  RunOwner,
  RunPage,
  RunResult,
  RunRow,
  RunStatus,
  RunTable,
  RunUsage,
} from "./rows.js";
export { RunStore } from "./store.js";
export type { RunStoreOptions, WatchedRun } from "./store.js";
export { emptyRun } from "./view.js";
export type {
  ChildItem,
  CustomItem,
  GapItem,
  LogItem,
  LogLevel,
  MessageItem,
  MessageRole,
  QuestionItem,
  RunView,
  TimelineItem,
  ToolItem,
} from "./view.js";
