import { type ReactNode, useState } from "react";

import { Problem } from "../ui/Notice";
import { signIn } from "./session";

export function SignIn({ problem }: { readonly problem: string | null }): ReactNode {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    await signIn(token);
    setBusy(false);
  };
  return (
    <main className="grid h-full place-items-center p-4">
      <form
        className="flex w-full max-w-[360px] flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div>
          <h1 className="text-xl leading-[1.25] font-strong tracking-[-0.02em]">Sign in to Antiphon</h1>
          <p className="mt-1 text-dim">Open the address that the server printed when it started, or paste a token.</p>
        </div>
        <label className="flex flex-col gap-1">
          <span className="text-s text-dim">Token</span>
          <input
            className="field"
            type="password"
            autoComplete="current-password"
            autoFocus
            required
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        {problem === null ? null : <Problem>{problem}</Problem>}
        <button type="submit" className="button main self-start" disabled={busy || token.trim() === ""}>
          {busy ? "Signing in" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
