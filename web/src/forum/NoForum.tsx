import type { ServerInfo } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { useReadable } from "../lib/readable";
import { Notice, Snippet } from "../ui/Notice";
import { useRoom } from "./room";

const SETTINGS = `[process.insight]
command = ["python", "insight_app.py"]

[process.media]
command = ["python", "media_app.py"]

[forum]
apps = ["insight", "media"]
threshold = 5`;

const offers = (server: ServerInfo | undefined): boolean => server?.features.includes("forum") ?? true;

/** Whether this server has one; also while it is not known yet. */
export function useHasForum(): boolean {
  return useReadable(useLive().server, offers);
}

/** The lines that change it. */
export function NoForum(): ReactNode {
  return (
    <Notice title="This server has no forum">
      <p>
        In a forum several agents talk with each other: what they say is found in their logs, a host sums it up, and you
        can join in. Name the programs that speak in <code>antiphon.toml</code>, and start the server again:
      </p>
      <Snippet>{SETTINGS}</Snippet>
      <p>
        <code>apps</code> are names of processes, or of followed files (<code>[log.NAME]</code>). Without an agent
        called <code>host</code> the host has no model and only quotes what was said.
      </p>
    </Notice>
  );
}

/** Nobody has said anything: who is listened to, and what to do. */
export function NobodySpoke(): ReactNode {
  const { forum, view } = useRoom();
  const apps = Object.entries(forum?.speakers ?? {}).filter(([, { kind }]) => kind === "agent");
  if (view.name !== "main" && forum === undefined)
    return (
      <Notice title={`There is no forum called ${view.name}`}>
        <p>A forum of its own is made by replaying an old forum.log.</p>
      </Notice>
    );
  return (
    <Notice title="Nobody has spoken yet">
      {apps.length === 0 ? null : (
        <p>
          The first summary that one of these programs writes into its log begins the conversation. See whether they
          run:{" "}
          {apps.map(([source, { sender }], i) => (
            <span key={source}>
              {i === 0 ? "" : ", "}
              <Link className="underline hover:text-text" to={{ page: "logs", name: source.toLowerCase(), at: null }}>
                {sender}
              </Link>
            </span>
          ))}
          .
        </p>
      )}
      <p>
        Which programs are listened to is set with <code>apps</code> below <code>[forum]</code> in{" "}
        <code>antiphon.toml</code>. You can also begin yourself, below.
      </p>
    </Notice>
  );
}
