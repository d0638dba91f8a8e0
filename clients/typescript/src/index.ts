export * from "./agent/index.js";
export { AntiphonError } from "./errors.js";
export type { ClientErrorCode, ErrorFacts } from "./errors.js";
export * from "./forum/index.js";
export { connect } from "./live.js";
export type { Live, ServerInfo } from "./live.js";
export type {
  ChannelRow,
  ConnectionList,
  ConnectionRow,
  Empty,
  EndedConnectionRow,
  FollowedFiles,
  HistoryPage,
  HistoryParams,
  LogLine,
  Methods,
  ProcessAnswer,
  ProcessRow,
  ProcessStatus,
  ProcessTable,
  SearchParams,
  SearchSlice,
  SubscriptionRow,
} from "./methods.js";
export type {
  BackoffOptions,
  ConnectOptions,
  PublishOptions,
  RequestOptions,
  Surroundings,
  TimeoutOptions,
  Timers,
  WebSocketConstructor,
  WebSocketLike,
} from "./options.js";
export { applyPatch } from "./patch.js";
export type { PatchOperation } from "./patch.js";
export * from "./run/index.js";
export type {
  After,
  CaughtUp,
  ChannelState,
  ConnectionState,
  Cursor,
  Gap,
  Item,
  LiveEvent,
  OpenMessage,
  Readable,
  Subscribed,
  SubscribeOptions,
  Subscription,
} from "./types.js";
