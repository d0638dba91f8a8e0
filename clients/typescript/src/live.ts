/** The public object: one connection, many channels. */

import { makeAgents, makeThreads, makeTools } from "./agent/requests.js";
import type { Agents, Threads, Tools } from "./agent/requests.js";
import { ChannelStateReader } from "./channelState.js";
import { Connection } from "./connection.js";
import { settingsOf } from "./defaults.js";
import type { Settings } from "./defaults.js";
import type { AntiphonError } from "./errors.js";
import { clientError } from "./errors.js";
import { Feed } from "./feed.js";
import type { FeedPort } from "./feed.js";
import { makeForum } from "./forum/requests.js";
import type { Forum } from "./forum/requests.js";
import { decodeResult, mayRepeat, patience } from "./methods.js";
import type { Methods } from "./methods.js";
import type { ConnectOptions, PublishOptions, RequestOptions } from "./options.js";
import { Reader } from "./reader.js";
import { Requests } from "./requests.js";
import { randomKey } from "./run/ids.js";
import type { OpenRun, OwnedRun } from "./run/owned.js";
import { openRun, performRun } from "./run/owner.js";
import type { OwnerPort } from "./run/owner.js";
import { makeQuestions, makeRuns } from "./run/requests.js";
import type { Questions, Runs } from "./run/requests.js";
import { Store } from "./store.js";
import type { After, ChannelState, ConnectionState, Cursor, Readable, SubscribeOptions, Subscription } from "./types.js";
import type { Frame, ServerInfo } from "./wire.js";

export interface Live {
  /** What the connection is doing. */
  readonly connection: Readable<ConnectionState>;
  /** The last welcome; undefined before the first. */
  readonly server: Readable<ServerInfo | undefined>;
  /** The last complaint that belongs to no call: a `problem` of the server, a channel state that was refused. */
  readonly problem: Readable<AntiphonError | undefined>;
  /** Read a channel. Begins at once; survives reconnections. */
  subscribe(channel: string, options?: SubscribeOptions): Subscription;
  /**
   * Ask the server. Waits for a connection if there is none. Reading requests, and publishes with a key, are repeated
   * over reconnections; others fail with `connection_lost` when the connection ends before the answer.
   * Throws AntiphonError.
   */
  request<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    options?: RequestOptions,
  ): Promise<Methods[M]["result"]>;
  /** Append an event, exactly once however often the connection breaks. Resolves after the commit. Throws AntiphonError. */
  publish(channel: string, type: string, data: unknown, options?: PublishOptions): Promise<Cursor>;
  /**
   * The channel's JSON value, kept up to date while somebody is subscribed; undefined until known.
   * While it is in use, the same object per channel. `T` is the caller's promise; the value is not checked.
   */
  channelState<T = unknown>(channel: string): Readable<ChannelState<T> | undefined>;
  /** Runs of anybody: start, list, cancel, wait. */
  readonly runs: Runs;
  /** What runs ask of people. */
  readonly questions: Questions;
  /** What answers questions: list, ask. */
  readonly agents: Agents;
  /** Conversations with agents. */
  readonly threads: Threads;
  /** What agents can call. */
  readonly tools: Tools;
  /** The conversation of agents. */
  readonly forum: Forum;
  /** Open a run that this program owns. Resolves once the server has it; throws AntiphonError. */
  openRun(run: OpenRun): Promise<OwnedRun>;
  /**
   * Open a run, do its work and end it: what `body` returns is the result, what it throws makes the run `failed` and is thrown on.
   * Throws AntiphonError `run_cancelled` where the run was cancelled, whatever `body` made of it.
   */
  run<T>(run: OpenRun, body: (run: OwnedRun) => Promise<T>): Promise<T>;
  /** Try now instead of waiting; also leaves `refused`. */
  reconnect(): void;
  /** End everything; waiting requests fail with `closed`. May be called twice. */
  close(): void;
}

/**
 * Open a connection that stays. Network trouble is never thrown: look at `connection`.
 * Throws AntiphonError `usage` for options that can never work.
 */
export function connect(options: ConnectOptions = {}): Live {
  return new Client(settingsOf(options));
}

class Client implements Live {
  readonly connection: Readable<ConnectionState>;
  readonly server = new Store<ServerInfo | undefined>(undefined);
  readonly problem = new Store<AntiphonError | undefined>(undefined);
  readonly runs: Runs;
  readonly questions: Questions;
  readonly agents: Agents;
  readonly threads: Threads;
  readonly tools: Tools;
  readonly forum: Forum;
  readonly #settings: Settings;
  readonly #requests: Requests;
  readonly #connection: Connection;
  readonly #feeds = new Map<string, Feed>();
  readonly #states = new Map<string, WeakRef<ChannelStateReader>>();
  readonly #forgotten = new FinalizationRegistry<string>((channel) => {
    if (this.#states.get(channel)?.deref() === undefined) this.#states.delete(channel);
  });
  #generation = 0;
  #counting = false;
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#requests = new Requests(settings.timers);
    this.#connection = new Connection(settings, {
      ready: (info) => { this.#ready(info); },
      frame: (frame) => { this.#frame(frame); },
      lost: (reason) => { this.#lost(reason); },
      refused: (error) => { this.#requests.bar(error); },
    });
    this.connection = this.#connection.state;
    this.runs = makeRuns(this, settings.timers.now);
    this.questions = makeQuestions(this);
    this.agents = makeAgents(this);
    this.threads = makeThreads(this);
    this.tools = makeTools(this);
    this.forum = makeForum(this);
    this.#connection.start();
  }

  subscribe(channel: string, options: SubscribeOptions = {}): Subscription {
    const { bufferItems, timers } = this.#settings;
    const feed = this.#feed(channel);
    const reader = new Reader(channel, plainAfter(options.after), bufferItems, timers.defer, {
      roomy: (self) => { feed.pull(self); },
      closed: (self) => {
        options.signal?.removeEventListener("abort", stop);
        feed.remove(self);
      },
    });
    const stop = (): void => { reader.close(); };
    if (this.#closed) reader.fail(closedError());
    else if (options.signal?.aborted === true) reader.close();
    else feed.add(reader);
    options.signal?.addEventListener("abort", stop, { once: true });
    return reader;
  }

  request<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    options: RequestOptions = {},
  ): Promise<Methods[M]["result"]> {
    const { requestMs } = this.#settings.timeouts;
    const timeoutMs = options.timeoutMs === undefined ? patience(method, params, requestMs) : options.timeoutMs;
    const plan = { repeat: mayRepeat(method, params), timeoutMs, signal: options.signal };
    return new Promise((resolve, reject) => {
      this.#requests.call(method, params, plan, (answer) => {
        if ("error" in answer) {
          reject(answer.error);
          return;
        }
        // what is thrown while decoding rejects the promise
        resolve(Promise.resolve(answer.result).then((result) => decodeResult(method, result)));
      });
    });
  }

  publish(channel: string, type: string, data: unknown, options: PublishOptions = {}): Promise<Cursor> {
    const { idempotencyKey = randomKey(), timeoutMs = null, signal } = options;
    const params = { channel, type, data, idempotency_key: idempotencyKey };
    return this.request("publish", params, signal === undefined ? { timeoutMs } : { timeoutMs, signal });
  }

  channelState<T = unknown>(channel: string): Readable<ChannelState<T> | undefined> {
    let state = this.#states.get(channel)?.deref();
    if (state === undefined) {
      state = new ChannelStateReader(
        () => this.subscribe(channel),
        (error) => { this.problem.set(error); },
      );
      this.#states.set(channel, new WeakRef(state));
      this.#forgotten.register(state, channel);
    }
    return state as Readable<ChannelState | undefined> as Readable<ChannelState<T> | undefined>;
  }

  openRun(run: OpenRun): Promise<OwnedRun> {
    return openRun(this.#owner(), run);
  }

  run<T>(run: OpenRun, body: (run: OwnedRun) => Promise<T>): Promise<T> {
    return performRun(this.#owner(), run, body);
  }

  reconnect(): void {
    if (this.#closed) return;
    this.#requests.unbar();
    this.#connection.start();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#requests.bar(closedError());
    for (const feed of [...this.#feeds.values()]) feed.close();
  }

  #feed(channel: string): Feed {
    let feed = this.#feeds.get(channel);
    if (feed === undefined) {
      feed = new Feed(channel, this.#port());
      this.#feeds.set(channel, feed);
    }
    return feed;
  }

  #port(): FeedPort {
    return {
      connection: () => (this.#connection.ready ? this.#generation : null),
      // no deadline: the heartbeat decides whether the server is alive
      call: (method, params, done) => { this.#requests.call(method, params, { repeat: false, timeoutMs: null }, done); },
      violation: (error) => {
        this.problem.set(error);
        this.#connection.fail(error.message);
      },
      progress: () => { this.#countLater(); },
      later: (task) => { this.#later(task); },
      unused: (feed) => {
        if (this.#feeds.get(feed.channel) === feed) this.#feeds.delete(feed.channel);
      },
    };
  }

  #owner(): OwnerPort {
    return { live: this, timers: this.#settings.timers, pause: () => new Promise((resolve) => { this.#later(resolve); }) };
  }

  /** Runs `task` after a back-off. */
  #later(task: () => void): void {
    const { timers, random, backoff } = this.#settings;
    timers.setTimeout(task, backoff.baseMs + random() * backoff.baseMs * 4);
  }

  #ready(info: ServerInfo): void {
    this.#generation += 1;
    this.server.set(info);
    this.#requests.attach((text) => { this.#connection.send(text); }, info.limits["message_bytes"]);
    for (const feed of [...this.#feeds.values()]) feed.connected();
  }

  #lost(reason: string): void {
    for (const feed of [...this.#feeds.values()]) feed.lost(); // first, so that they ignore their unanswered requests
    if (!this.#closed) this.#requests.detach(reason);
  }

  #frame(frame: Frame): void {
    switch (frame.kind) {
      case "event":
        this.#feeds.get(frame.channel)?.event(frame);
        return;
      case "caught_up":
        this.#feeds.get(frame.channel)?.caughtUp(frame);
        return;
      case "gap":
        this.#feeds.get(frame.channel)?.gap(frame);
        return;
      case "reply":
        this.#requests.answer(frame.id, { result: frame.result });
        return;
      case "refusal":
        if (frame.id === null || !this.#requests.answer(frame.id, { error: frame.error })) this.problem.set(frame.error);
        return;
      case "problem":
        this.problem.set(frame.error);
        return;
      default:
        return; // a notification of a newer server
    }
  }

  /** Adds up what is still to come, once per turn of the event loop however many events arrive in it. */
  #countLater(): void {
    if (this.#counting) return;
    this.#counting = true;
    this.#settings.timers.defer(() => {
      this.#counting = false;
      let behind = 0;
      for (const feed of this.#feeds.values()) behind += feed.behind;
      this.#connection.setBehind(behind);
    });
  }
}

function plainAfter(after: After = "now"): After {
  return typeof after === "string" ? after : { epoch: after.epoch, offset: after.offset };
}

function closedError(): AntiphonError {
  return clientError("closed", "this client was closed");
}

export type { ServerInfo };
