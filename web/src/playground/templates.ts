/** Messages to begin with, for each protocol. Each is sent exactly as it stands in the editor. */

import type { Protocol } from "../lib/route";

export interface Template {
  readonly name: string;
  readonly message: Readonly<Record<string, unknown>>;
}

export interface Preset {
  readonly protocol: Protocol;
  readonly label: string;
  readonly path: string; // of the socket
  readonly templates: readonly Template[];
}

const call = (method: string, params: Readonly<Record<string, unknown>> = {}): Template => ({
  name: method,
  message: { jsonrpc: "2.0", id: 1, method, params },
});

const typed = (type: string, fields: Readonly<Record<string, unknown>> = {}): Template => ({
  name: type,
  message: { type, ...fields, request_id: 1 },
});

const NATIVE: Preset = {
  protocol: "native",
  label: "Native",
  path: "/live",
  templates: [
    call("ping"),
    call("subscribe", { channel: "news:tea", after: "start" }),
    call("unsubscribe", { channel: "news:tea" }),
    call("publish", { channel: "news:tea", type: "speech", data: { text: "hello" } }),
    call("history", { channel: "news:tea", limit: 10 }),
    call("search", { channel: "news:tea", text: "hello", limit: 10 }),
    call("state", { channel: "processes" }),
    call("channel.list", { prefix: "log:" }),
    call("connection.list"),
  ],
};

const AGENT_ENGINE: Preset = {
  protocol: "agent-engine",
  label: "Agent engine",
  path: "/ws/agent",
  templates: [
    typed("streaming_query", { query: "What is 123 + 456?" }),
    typed("agent_query", { query: "What time is it?" }),
    typed("tool_call", { tool_name: "calculator", params: { expression: "123 + 456" } }),
    typed("ping"),
    { name: "cancel", message: { type: "cancel" } },
  ],
};

export const PRESETS: readonly Preset[] = [NATIVE, AGENT_ENGINE];

export function presetOf(protocol: Protocol): Preset {
  return PRESETS.find((preset) => preset.protocol === protocol) ?? NATIVE;
}

export function templateText({ message }: Template, id: number): string {
  return withNextId(JSON.stringify(message, null, 2), id);
}

/** The same text with a fresh `id` or `request_id`, where it is an object that has a numeric one; else unchanged. */
export function withNextId(text: string, id: number): string {
  return text.replace(/("(?:request_)?id"\s*:\s*)\d+/, `$1${id}`);
}
