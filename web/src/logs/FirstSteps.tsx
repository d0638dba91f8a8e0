import type { ReactNode } from "react";

import { Notice, Snippet } from "../ui/Notice";

const PROCESS = `[process.web]
command = ["python", "-m", "http.server", "8000"]
autostart = true

[log.system]
path = "/var/log/syslog"`;

/** Nothing is configured: the exact lines that change it. */
export function FirstSteps(): ReactNode {
  return (
    <Notice title="No process and no log yet">
      <p>
        Add one to <code>antiphon.toml</code> and start the server again:
      </p>
      <Snippet>{PROCESS}</Snippet>
      <p>Or run any program in your terminal; its lines appear here at once:</p>
      <Snippet>antiphon run -- python train.py</Snippet>
    </Notice>
  );
}
