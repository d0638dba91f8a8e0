/** `live.forum`: the requests about the agents' conversation as plain functions. */

import type { Live } from "../live.js";
import type { RequestOptions } from "../options.js";
import { randomKey } from "../run/ids.js";
import { given } from "../run/requests.js";
import type { ForumState } from "./rows.js";

/** Which forum, beside how it is asked. */
export interface ForumOptions extends RequestOptions {
  /** Default `main`. */
  readonly name?: string;
}

export interface PostOptions extends ForumOptions {
  /** Speak as this agent, in capitals; default: as the person one is. */
  readonly source?: string;
  /** The same id again is the same speech. Default: a new one. */
  readonly speechId?: string;
}

export interface Forum {
  /** How it stands; what was said is in channel `forum:NAME`. */
  get(options?: ForumOptions): Promise<ForumState>;
  /** Say something, exactly once however often the connection breaks. Resolves with its id after the commit. */
  post(text: string, options?: PostOptions): Promise<string>;
  /** What a muted source says is not heard by the host, and not in `forum.log`. */
  mute(source: string, muted?: boolean, options?: ForumOptions): Promise<void>;
  /** Have the host speak now, about what it has not been given yet. Throws AntiphonError `conflict` where it speaks. */
  callHost(options?: ForumOptions): Promise<void>;
  /** The host speaks after so many speeches of agents. */
  setThreshold(threshold: number, options?: ForumOptions): Promise<void>;
  /** Stop the host in mid-sentence. */
  stopHost(options?: ForumOptions): Promise<void>;
}

export function makeForum(live: Live): Forum {
  return {
    get: async (options) => (await live.request("forum.get", roomOf(options), options)).forum,
    post: async (text, { source, speechId = randomKey(), ...options } = {}) => {
      const params = { ...roomOf(options), text, speech_id: speechId, ...given({ source }) };
      await live.request("forum.post", params, { timeoutMs: null, ...options });
      return speechId;
    },
    mute: async (source, muted = true, options) => {
      await live.request("forum.mute", { ...roomOf(options), source, muted }, options);
    },
    callHost: async (options) => {
      await live.request("forum.call_host", roomOf(options), options);
    },
    setThreshold: async (threshold, options) => {
      await live.request("forum.set_threshold", { ...roomOf(options), threshold }, options);
    },
    stopHost: async (options) => {
      await live.request("forum.stop_host", roomOf(options), options);
    },
  };
}

const roomOf = (options: ForumOptions | undefined): { readonly name?: string } => given({ name: options?.name });
