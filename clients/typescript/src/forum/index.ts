/** The conversation of agents: reading it, taking part in it. */

export type { ForumEntry, HostEntry, SessionEntry, SpeechEntry } from "./entries.js";
export { foldForum, joinForum } from "./fold.js";
export type { ForumMethods } from "./methods.js";
export type { Forum, ForumOptions, PostOptions } from "./requests.js";
export type { ForumHost, ForumState, Speaker, SpeakerKind, SpeechOrigin, SpeechRow } from "./rows.js";
export { ForumStore } from "./store.js";
export type { ReadForum } from "./store.js";
