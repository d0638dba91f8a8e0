import { connect, type Live } from "@antiphon/client";
import { LiveProvider, useConnection } from "@antiphon/client/react";
import { type ReactNode, useEffect, useState } from "react";

import { checkSession, useSession } from "./session";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";

export function App(): ReactNode {
  const session = useSession();
  if (session.phase === "checking") return null;
  if (session.phase === "signed_out") return <SignIn problem={session.problem} />;
  return <Connected />;
}

/** One connection for the whole page, as long as somebody is signed in. */
function Connected(): ReactNode {
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    const opened = connect({ url: new URL("live", document.baseURI) });
    setLive(opened);
    return () => opened.close();
  }, []);
  if (live === null) return null;
  return (
    <LiveProvider live={live}>
      <SessionWatch />
      <Shell />
    </LiveProvider>
  );
}

/** A session that ended shows the sign-in page, not a page that waits for ever. */
function SessionWatch(): ReactNode {
  const state = useConnection();
  const expired = state.phase === "refused" && state.error.code === "unauthenticated";
  useEffect(() => {
    if (expired) void checkSession();
  }, [expired]);
  return null;
}
