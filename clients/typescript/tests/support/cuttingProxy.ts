/** A network that breaks: hands bytes on to a server, and ends each connection after as many as the test says. */

import { createServer, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { finallyDo } from "./realServer.js";

export interface CuttingProxy {
  /** The same address, through the proxy. */
  readonly url: string;
  /** Connections that were cut. */
  readonly cuts: () => number;
}

/** `budget` is asked at each new connection: how many bytes may come back over it. */
export async function cuttingProxy(target: string, budget: () => number): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    let left = budget();
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("close", () => { end(); sockets.delete(socket); }).on("error", end);
    }
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes: Buffer) => {
      const part = bytes.subarray(0, left);
      left -= part.length;
      if (part.length === bytes.length) {
        near.write(part);
        return;
      }
      cuts += 1;
      near.end(part, end);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  finallyDo(() => new Promise<void>((resolve) => {
    for (const socket of sockets) socket.destroy();
    server.close(() => { resolve(); });
  }));
  return { url: target.replace(port, String((server.address() as AddressInfo).port)), cuts: () => cuts };
}

/** Numbers that look random and are the same each time. */
export function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
