/** Agents: asking them, their threads, their tools. */

export type { AgentMethods, ThreadListParams } from "./methods.js";
export type { Agents, AskOptions, Threads, Tools } from "./requests.js";
export { filterThreads } from "./rows.js";
export type {
  AgentInput,
  AgentRow,
  ChatMessage,
  ChatToolCall,
  ClientTool,
  IfBusy,
  ThreadDetails,
  ThreadFilter,
  ThreadRow,
  ThreadTable,
  ToolRow,
} from "./rows.js";
export { ThreadStore } from "./threadStore.js";
export type { WatchedThread } from "./threadStore.js";
