/** Messages to begin with. Each is sent exactly as it stands in the editor. */

export interface Template {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export const TEMPLATES: readonly Template[] = [
  { name: "ping", params: {} },
  { name: "subscribe", params: { channel: "news:tea", after: "start" } },
  { name: "unsubscribe", params: { channel: "news:tea" } },
  { name: "publish", params: { channel: "news:tea", type: "speech", data: { text: "hello" } } },
  { name: "history", params: { channel: "news:tea", limit: 10 } },
  { name: "search", params: { channel: "news:tea", text: "hello", limit: 10 } },
  { name: "state", params: { channel: "processes" } },
  { name: "channel.list", params: { prefix: "log:" } },
  { name: "connection.list", params: {} },
];

export function templateText({ name, params }: Template, id: number): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method: name, params }, null, 2);
}

/** The same text with a fresh `id`, where it is an object that has a numeric one; else unchanged. */
export function withNextId(text: string, id: number): string {
  return text.replace(/("id"\s*:\s*)\d+/, `$1${id}`);
}
