/** How to get in: the address with a fresh ticket, and, where a socket was refused, why. */

import type { Settings } from "./defaults.js";
import { asObject, text } from "./decode.js";
import { AntiphonError } from "./errors.js";
import { decodeError } from "./wire.js";

type DoorSettings = Pick<Settings, "url" | "token" | "ticket" | "fetch">;

const WORDS: Readonly<Record<number, string>> = { 401: "unauthenticated", 403: "forbidden", 404: "not_found" };

export class Door {
  readonly #settings: DoorSettings;

  constructor(settings: DoorSettings) {
    this.#settings = settings;
  }

  /** The address for one attempt. Throws AntiphonError where the server refused a ticket, other errors where it was not reached. */
  async address(signal: AbortSignal): Promise<string> {
    const { url, token, ticket } = this.#settings;
    const address = new URL(url);
    const given = token === undefined ? await ticket?.() : await this.#buyTicket(signal);
    if (given !== undefined) address.searchParams.set("ticket", given);
    return address.href;
  }

  /** What the server says over HTTP about us; null = nothing that forbids another attempt. */
  async refusal(signal: AbortSignal): Promise<AntiphonError | null> {
    if (this.#settings.fetch === undefined) return null;
    try {
      const answer = await this.#call("GET", "session", signal);
      return answer.status === 401 || answer.status === 403 ? await errorOf(answer) : null;
    } catch {
      return null; // not reached: an ordinary failure
    }
  }

  async #buyTicket(signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#call("POST", "tickets", signal);
    if (answer.status === 404) return undefined; // a server without auth
    if (!answer.ok) throw await errorOf(answer);
    return text(asObject(await answer.json(), "the ticket"), "ticket");
  }

  async #call(method: string, resource: string, signal: AbortSignal): Promise<Response> {
    const { url, token, fetch } = this.#settings;
    if (fetch === undefined) throw new Error("connect({ token }) needs fetch");
    const target = new URL(url);
    target.protocol = url.protocol === "wss:" ? "https:" : "http:";
    target.pathname = `${url.pathname.replace(/\/live\/?$/, "")}/api/${resource}`;
    target.search = "";
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return await fetch(target.href, { method, headers, signal });
  }
}

/** What an answer that is no success says. */
export async function errorOf(answer: Response): Promise<AntiphonError> {
  const word = WORDS[answer.status] ?? "internal";
  try {
    return decodeError(await answer.json());
  } catch {
    return new AntiphonError(word, `the server answered ${String(answer.status)}`, { retryable: answer.status >= 500 });
  }
}
