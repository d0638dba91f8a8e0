export { AntiphonAgent } from "./agent.js";
export type { AntiphonAgentConfig } from "./agent.js";
export { resumingFetch } from "./resumingFetch.js";
export type { Fetch, Reconnecting, ResumeOptions } from "./resumingFetch.js";
