/** Who is looking: `#token=` in the address becomes a cookie; without a session the sign-in page shows. */

import { create } from "zustand";

export type Session =
  | { readonly phase: "checking" }
  | { readonly phase: "signed_out"; readonly problem: string | null } // problem: why the last token was not taken
  | { readonly phase: "ready"; readonly user: string | null; readonly auth: boolean }; // user null = the server did not answer

export const useSession = create<Session>(() => ({ phase: "checking" }));

const set = (session: Session): void => useSession.setState(session, true);

/** The address of the session, below the mount prefix. */
const address = (): URL => new URL("api/session", document.baseURI);

/** Once at the start. A token in the address is taken out of it before anything else happens. */
export async function beginSession(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) {
    history.replaceState(history.state, "", location.pathname + location.search);
    return signIn(token);
  }
  await checkSession();
}

/** Ask whether the cookie is good. A server that cannot be reached is the connection indicator's business. */
export async function checkSession(): Promise<void> {
  try {
    await accept(await fetch(address(), { headers: { accept: "application/json" } }));
  } catch {
    set({ phase: "ready", user: null, auth: false });
  }
}

export async function signIn(token: string): Promise<void> {
  const headers = { "content-type": "application/json", accept: "application/json" };
  try {
    await accept(
      await fetch(address(), { method: "POST", headers, body: JSON.stringify({ token: token.trim() }) }),
      true,
    );
  } catch {
    set({ phase: "signed_out", problem: "The server does not answer. Is it running?" });
  }
}

export async function signOut(): Promise<void> {
  await fetch(address(), { method: "DELETE" }).catch(() => undefined);
  set({ phase: "signed_out", problem: null });
}

async function accept(response: Response, withToken = false): Promise<void> {
  const body: unknown = await response.json().catch(() => null);
  set(sessionOf(response, body, withToken));
}

function sessionOf({ ok, status }: Response, body: unknown, withToken: boolean): Session {
  if (ok) return { phase: "ready", user: field(body, "user"), auth: truthy(body, "auth") };
  if (withToken) return { phase: "signed_out", problem: field(body, "message") ?? `The server answered ${status}.` };
  return status === 401 ? { phase: "signed_out", problem: null } : { phase: "ready", user: null, auth: false };
}

function field(body: unknown, name: string): string | null {
  const value: unknown = typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : null;
  return typeof value === "string" ? value : null;
}

function truthy(body: unknown, name: string): boolean {
  const value: unknown = typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : null;
  return value === true || (typeof value === "string" && value !== "off" && value !== "none");
}
