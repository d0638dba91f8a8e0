/** The AG-UI agent of the stock package, and what a server that resumes makes possible beside it. */

import { HttpAgent } from "@ag-ui/client";
import type { AgentSubscriber, HttpAgentConfig, RunAgentInput, RunAgentParameters, RunAgentResult } from "@ag-ui/client";
import { errorOf } from "../src/door.js";
import { clientError } from "../src/errors.js";
import { resumingFetch } from "./resumingFetch.js";
import type { ResumeOptions } from "./resumingFetch.js";

export interface AntiphonAgentConfig extends HttpAgentConfig {
  /** How broken connections are mended. */
  readonly resume?: Omit<ResumeOptions, "fetch">;
}

type Events = ReturnType<HttpAgent["run"]>;

/**
 * An `HttpAgent` whose runs survive their connection. `connectAgent` attaches to a run that is under way, `stop` cancels it;
 * `abortRun` only leaves (what that means for the run is a setting of the agent: `on_disconnect`).
 */
export class AntiphonAgent extends HttpAgent {
  /** The run that is followed, or was last; undefined before the first. */
  runId: string | undefined;
  /** Ends the reading of a run that was attached to. */
  private attached: AbortController | undefined;

  constructor({ resume, ...config }: AntiphonAgentConfig) {
    super(config);
    this.fetch = resumingFetch({ ...resume, fetch: this.fetch });
    // a clone takes the subscribers along: each event says whose it is
    this.subscribe({
      onRunStartedEvent: ({ event, agent }) => {
        if (agent instanceof AntiphonAgent) agent.runId = event.runId;
      },
    });
  }

  override runAgent(parameters?: RunAgentParameters, subscriber?: AgentSubscriber): Promise<RunAgentResult> {
    this.attached = undefined;
    return super.runAgent(parameters, subscriber);
  }

  protected override requestInit(input: RunAgentInput): RequestInit {
    this.runId = input.runId;
    return super.requestInit(input);
  }

  /**
   * Attach to a run: to `runId`, or to the newest of `threadId`. The messages so far come first, also the one that is growing, then
   * the rest as it comes. Resolves when the run ends or asks something; at once where the thread has no run.
   */
  override connectAgent(parameters: RunAgentParameters = {}, subscriber?: AgentSubscriber): Promise<RunAgentResult> {
    this.attached = this.abortController = new AbortController();
    this.runId = parameters.runId;
    this.pendingInterrupts = []; // whether they are still open is told anew
    return super.connectAgent(parameters, subscriber);
  }

  /** What `connectAgent` follows. */
  protected override connect(input: RunAgentInput): Events {
    const path = this.runId === undefined ? `threads/${encodeURIComponent(input.threadId)}` : runPath(this.runId);
    const viewer = new Viewer({ url: below(this.url, path), headers: this.headers, fetch: this.fetch });
    viewer.abortController = this.abortController;
    return viewer.run(input);
  }

  /** Stop following; a run that was attached to is left alone. */
  override async detachActiveRun(): Promise<void> {
    const { attached } = this;
    await super.detachActiveRun();
    attached?.abort();
  }

  /**
   * Cancel the run, whoever follows it; its stream ends by itself, and says that it was cancelled. May be called twice.
   * Throws AntiphonError.
   */
  async stop(reason?: string): Promise<void> {
    if (this.runId === undefined) throw clientError("usage", "there is no run to stop");
    const answer = await this.fetch(below(this.url, `${runPath(this.runId)}/stop`), {
      method: "POST",
      headers: { ...this.headers, "content-type": "application/json" },
      body: JSON.stringify(reason === undefined ? {} : { reason }),
    });
    if (!answer.ok) throw await errorOf(answer);
    await answer.body?.cancel();
  }

  override clone(): AntiphonAgent {
    const cloned = super.clone();
    if (!(cloned instanceof AntiphonAgent)) throw new TypeError("a clone of another kind");
    cloned.runId = this.runId;
    return cloned;
  }
}

/** Only looks. */
class Viewer extends HttpAgent {
  protected override requestInit(): RequestInit {
    return { method: "GET", headers: { ...this.headers, accept: "text/event-stream" }, signal: this.abortController.signal };
  }
}

function runPath(runId: string): string {
  return `runs/${encodeURIComponent(runId)}`;
}

/** An address below the agent's, with the same query. */
function below(url: string, path: string): string {
  const [base = "", query] = url.split("?");
  return `${base.replace(/\/$/, "")}/${path}${query === undefined ? "" : `?${query}`}`;
}
