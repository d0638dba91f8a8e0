/**
 * The real server: ANTIPHON_PYTHON, or the repository's `.venv`, runs `antiphon serve`.
 * Without either `missing` is true; ANTIPHON_PYTHON=none makes it so on purpose.
 */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach } from "vitest";
import { WebSocket } from "ws";
import type { Live } from "../../src/index.js";
import { connect } from "../../src/index.js";

const ours = fileURLToPath(new URL("../../../../.venv/bin/python", import.meta.url));
const python = process.env["ANTIPHON_PYTHON"] ?? ours;
export const missing = !existsSync(python);
if (missing) console.warn(`skipped: no Python with antiphon at ${python} (set ANTIPHON_PYTHON)`);

type Ending = (() => Promise<void> | void)[];

const ending: Ending = [];
const endingLater: Ending = [];

async function endAll(things: Ending): Promise<void> {
  for (const end of things.splice(0).reverse()) await end();
}

afterEach(() => endAll(ending));
afterAll(() => endAll(endingLater));

/** A server on a data directory of its own that can be killed and started again at the same address. */
export class RealServer {
  readonly #data = mkdtempSync(join(tmpdir(), "antiphon-"));
  #process: ChildProcess | null = null;
  #port = 0;

  /** `lasts`: for all tests of the file. */
  constructor({ lasts = false } = {}) {
    (lasts ? endingLater : ending).push(async () => {
      await this.kill();
      rmSync(this.#data, { recursive: true, force: true });
    });
  }

  /** Only this token opens the door from the next start on. */
  requireToken(token: string): void {
    const hash = createHash("sha256").update(token).digest("hex");
    writeFileSync(join(this.#data, "antiphon.toml"), `[users.ann]\ntoken_sha256 = "${hash}"\ngrants = ["read *", "publish news:*"]\n`);
  }

  /** Offers the functions of `scripted.py` from the next start on; `more` are further settings. */
  offerScripted(more = ""): this {
    for (const name of ["scripted.py", "scripted_agents.py"]) copyFileSync(new URL(`./${name}`, import.meta.url), join(this.#data, name));
    const runnables = ["story", "asks", "open_gate"].map((name) => `[runnable.${name}]\nimport = "scripted:${name}"\n`);
    writeFileSync(join(this.#data, "antiphon.toml"), `${runnables.join("")}${more}`);
    return this;
  }

  async start(): Promise<string> {
    const settings = ["--port", String(this.#port), "--data", join(this.#data, "store")];
    const started = spawn(python, ["-m", "antiphon", "serve", ...settings], { cwd: this.#data, stdio: ["ignore", "pipe", "ignore"] });
    this.#process = started;
    for await (const line of createInterface({ input: started.stdout })) {
      const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line);
      if (found === null) continue;
      this.#port = Number(found[1]);
      return `${found[0]}/live`;
    }
    throw new Error("the server ended before it was ready");
  }

  /** kill -9, and wait until it is gone. */
  async kill(): Promise<void> {
    const running = this.#process;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, "exit");
    running.kill("SIGKILL");
    await gone;
  }
}

/** Called when the test has ended. */
export function finallyDo(end: () => Promise<void> | void): void {
  ending.push(end);
}

export function open(url: string, token?: string): Live {
  const live = connect({ url, WebSocket, backoff: { baseMs: 20, capMs: 200 }, ...(token === undefined ? {} : { token }) });
  ending.push(() => { live.close(); });
  return live;
}
