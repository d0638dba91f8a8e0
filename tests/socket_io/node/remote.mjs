// Stock clients under remote control: a JSON command per line on standard input, what happens per line on the output.

import { createInterface } from "node:readline";

const VERSIONS = { newest: "socket.io-client", first: "socket.io-client-first" };
const sockets = new Map();

// Bytes travel as {"$bytes": BASE64}.
function pack(value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return { $bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(pack);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, pack(item)]));
}

function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return Buffer.from(value.$bytes, "base64");
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpack(item)]));
}

function tell(id, what, facts = {}) {
  process.stdout.write(`${JSON.stringify({ id, what, ...facts })}\n`);
}

const commands = {
  async open({ id, version, url, options }) {
    const { io } = await import(VERSIONS[version]);
    const socket = io(url, { reconnectionDelay: 10, reconnectionDelayMax: 20, ...options });
    sockets.set(id, socket);
    socket.on("connect", () => {
      const engine = socket.io.engine;
      tell(id, "connect", { sid: socket.id, recovered: socket.recovered ?? null, transport: engine.transport.name });
    });
    socket.io.on("open", () =>
      socket.io.engine.once("upgrade", (transport) => tell(id, "upgrade", { transport: transport.name })),
    );
    socket.on("disconnect", (reason) => tell(id, "disconnect", { reason }));
    socket.on("connect_error", (error) => tell(id, "connect_error", { message: error.message, data: error.data ?? null }));
    socket.onAny((event, ...args) => {
      const answer = typeof args.at(-1) === "function" ? args.pop() : null;
      tell(id, "event", { event, args: pack(args) });
      if (answer !== null && event !== "never") answer(...args, "because");
    });
  },

  emit({ id, event, args, wants_answer, timeout_ms }) {
    const socket = sockets.get(id);
    const sent = unpack(args ?? []);
    if (!wants_answer) socket.emit(event, ...sent);
    else if (timeout_ms)
      socket.timeout(timeout_ms).emit(event, ...sent, (error, ...found) =>
        tell(id, error ? "timeout" : "answer", { args: pack(found) }),
      );
    else socket.emit(event, ...sent, (...found) => tell(id, "answer", { args: pack(found) }));
  },

  cut({ id }) {
    sockets.get(id).io.engine.close();
  },

  connect({ id }) {
    sockets.get(id).connect();
  },

  disconnect({ id }) {
    sockets.get(id).disconnect();
  },
};

let last = Promise.resolve(); // one after the other
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const command = JSON.parse(line);
  last = last.then(() => commands[command.do](command));
});
lines.on("close", () => process.exit(0));
