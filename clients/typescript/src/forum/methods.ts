/** The requests about forums, as on the wire. */

import { asObject } from "../decode.js";
import type { Fields } from "../decode.js";
import type { ForumState } from "./rows.js";

/** Which forum; default `main`. */
interface Named {
  readonly name?: string;
}

interface Answer {
  readonly forum: ForumState;
}

export interface ForumMethods {
  readonly "forum.get": { readonly params: Named; readonly result: Answer };
  readonly "forum.post": {
    readonly params: Named & { readonly text: string; readonly source?: string; readonly speech_id?: string };
    readonly result: Readonly<Record<string, unknown>>;
  };
  readonly "forum.mute": {
    readonly params: Named & { readonly source: string; readonly muted: boolean };
    readonly result: Readonly<Record<string, unknown>>;
  };
  readonly "forum.set_threshold": {
    readonly params: Named & { readonly threshold: number };
    readonly result: Readonly<Record<string, unknown>>;
  };
  readonly "forum.call_host": { readonly params: Named; readonly result: Readonly<Record<string, unknown>> };
  readonly "forum.stop_host": { readonly params: Named; readonly result: Readonly<Record<string, unknown>> };
}

/** Asked twice these do the same; a host that is called or stopped twice may be another one the second time. */
const REPEATABLE: ReadonlySet<string> = new Set(["forum.get", "forum.mute", "forum.set_threshold"]);

export function mayRepeatForum(method: string, params: object): boolean {
  return REPEATABLE.has(method) || (method === "forum.post" && "speech_id" in params);
}

/** Checks the outer form; false = a method of others. */
export function checkForumResult(method: string, fields: Fields): boolean {
  if (method === "forum.get") asObject(fields["forum"], "forum");
  return method.startsWith("forum.");
}
