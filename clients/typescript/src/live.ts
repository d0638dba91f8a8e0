/** The public object: one connection, many channels. */

import { clientError } from "./errors.js";
import type { Methods } from "./methods.js";
import type { ConnectOptions, PublishOptions, RequestOptions } from "./options.js";
import type { ChannelState, ConnectionState, Cursor, Readable, SubscribeOptions, Subscription } from "./types.js";

/** What the server said in its welcome. */
export interface ServerInfo {
  readonly protocol: number;
  readonly server: string;
  readonly epoch: string;
  readonly connectionId: string;
  readonly user: string;
  /** Names of the services that are on, e.g. `processes`. */
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

export interface Live {
  /** What the connection is doing. */
  readonly connection: Readable<ConnectionState>;
  /** The last welcome; undefined before the first. */
  readonly server: Readable<ServerInfo | undefined>;
  /** Refusals that belong to no request (`problem` notifications) and other oddities; the last one. */
  readonly problem: Readable<Error | undefined>;
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
  /** Append an event, exactly once however often the connection breaks. Resolves after the commit. */
  publish(channel: string, type: string, data: unknown, options?: PublishOptions): Promise<Cursor>;
  /** The channel's JSON value, kept up to date while somebody is subscribed; undefined until known. The same object per channel. */
  channelState<T = unknown>(channel: string): Readable<ChannelState<T> | undefined>;
  /** Try now instead of waiting; also leaves `refused`. */
  reconnect(): void;
  /** End everything; waiting requests fail with `closed`. May be called twice. */
  close(): void;
}

/** Open a connection that stays. Never throws for network reasons: look at `connection`. */
export function connect(options: ConnectOptions = {}): Live {
  void options;
  throw clientError("usage", "not here yet");
}
