import type { RunOwner } from "@antiphon/client";

/** Whose code it is: `agent.py · pid 8121`. */
export function ownerWords({ kind, client, pid }: RunOwner): string {
  if (kind === "imported") return "imported from a file";
  const parts = [client ?? (kind === "local" ? "this server" : "a client"), pid == null ? "" : `pid ${pid}`];
  return parts.filter((part) => part !== "").join(" · ");
}
