// A small stand-in for the server, for work on the dashboard alone: `npm run stand-in`, then `npm run dev`.
// It speaks the native protocol over made-up logs and is never shipped.
//   PORT (8003)  TOKEN (sign-in needed)  PREFIX (/)  RATE (lines per second of "indexer", 3)  LINES (1000000)  EMPTY (nothing configured)
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { WebSocketServer } from "ws";

const env = process.env;
const PREFIX = env.PREFIX ?? "/";
const TOKEN = env.TOKEN;
const DIST = fileURLToPath(new URL("../../src/antiphon/static", import.meta.url));
const EPOCH = "standin1";
const BORN = Date.now();
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'self'; frame-ancestors 'none'";

const iso = (ms) => new Date(ms).toISOString();
const FILES = [
  "hub/channels.py",
  "hub/flush.py",
  "brokers/sqlite.py",
  "server/admission.py",
  "transports/sse.py",
  "client/sync.py",
];

/** Every log is a function of the offset, so that a million lines cost nothing. */
function indexerLine(n) {
  const file = FILES[n % FILES.length];
  if (n % 4001 === 0)
    return { text: `\x1b[31mERROR\x1b[0m  cannot read \x1b[1m${file}\x1b[0m: permission denied`, stream: "stderr" };
  if (n % 97 === 0)
    return { text: `\x1b[33mWARN\x1b[0m   ${file}: ${n % 7} lines longer than 120 characters`, stream: "stderr" };
  if (n % 50000 === 0) return { text: `checkpoint ${n} ` + "0123456789abcdef ".repeat(700), stream: "stdout" };
  if (n % 13 === 0)
    return {
      text: `\x1b[32mINFO\x1b[0m   indexed \x1b[36m${file}\x1b[0m in \x1b[38;5;141m${(n * 7) % 90} ms\x1b[0m, ${(n * 31) % 900} terms`,
      stream: "stdout",
    };
  return { text: `\x1b[2mDEBUG\x1b[0m  ${file}:${n % 400} token ${(n * 2654435761) % 99991}`, stream: "stdout" };
}
const loadLine = (n) => ({
  text: `load ${(0.2 + (n % 17) / 20).toFixed(2)}  mem ${40 + (n % 9)} %  disk ${61 + (n % 3)} %`,
  stream: "stdout",
});
const fileLine = (n) => ({
  text: `127.0.0.1 - - "GET /reports/${n % 40} HTTP/1.1" 200 ${1000 + (n % 777)}`,
  stream: "file",
});

const logs = {
  "log:indexer": { head: Number(env.LINES ?? 1_000_000), oldest: 1, make: indexerLine, perMs: 10, marks: {} },
  "log:load": { head: 4200, oldest: 1201, make: loadLine, perMs: 1000, marks: {} },
  "log:web": { head: 0, oldest: 1, make: loadLine, perMs: 1000, marks: {} },
  "log:chat": {
    head: 36,
    oldest: 1,
    make: (n) => ({ text: `chat> turn ${n}`, stream: "stdout" }),
    perMs: 4000,
    marks: {},
  },
  "log:access": { head: 90_000, oldest: 1, make: fileLine, perMs: 200, marks: {} },
  "log:shell-7f": { head: 120, oldest: 1, make: loadLine, perMs: 900, marks: {} },
};
for (const log of Object.values(logs)) log.base = log.head;
logs["log:indexer"].marks[logs["log:indexer"].head - 20] = { type: "process.started", data: { pid: 8121 } };
logs["log:indexer"].marks[logs["log:indexer"].head - 21] = {
  type: "process.exited",
  data: { exit_code: 1, signal: null },
};
logs["log:chat"].marks[36] = { type: "process.exited", data: { exit_code: 3, signal: null } };

function event(channel, offset) {
  const log = logs[channel];
  const time = iso(BORN - (log.base - offset) * log.perMs);
  const mark = log.marks[offset];
  return { channel, offset, type: mark?.type ?? "line", data: mark?.data ?? log.make(offset), time };
}

const row = (more) => ({
  status: "stopped",
  pid: null,
  started_at: null,
  ended_at: null,
  exit_code: null,
  signal: null,
  cpu_percent: null,
  memory_bytes: null,
  restarts: 0,
  port: null,
  reason: null,
  source: "config",
  stdin: true,
  ...more,
});
const states = {
  processes: {
    version: 1,
    value: env.EMPTY
      ? {}
      : {
          indexer: row({
            status: "running",
            pid: 8121,
            started_at: iso(BORN - 161_000),
            cpu_percent: 12.4,
            memory_bytes: 50_331_648,
            restarts: 1,
            channel: "log:indexer",
          }),
          load: row({
            status: "unhealthy",
            pid: 8130,
            started_at: iso(BORN - 7_900_000),
            cpu_percent: 0.3,
            memory_bytes: 9_400_000,
            port: 8080,
            reason: "GET http://127.0.0.1:8080/health answered 503",
            channel: "log:load",
          }),
          chat: row({ status: "exited", ended_at: iso(BORN - 95_000), exit_code: 3, channel: "log:chat" }),
          web: row({ channel: "log:web" }),
        },
  },
  logs: {
    version: 1,
    value: env.EMPTY
      ? {}
      : {
          access: {
            path: "/var/log/nginx/access.log",
            status: "following",
            size_bytes: 8_123_456,
            channel: "log:access",
          },
        },
  },
};

const sockets = new Map();
const recent = [
  {
    connection_id: "c-old",
    user: "local",
    transport: "websocket",
    path: "/live",
    address: "127.0.0.1:51000",
    connected_at: iso(BORN - 800_000),
    disconnected_at: iso(BORN - 60_000),
    sent_bytes: 52_428_800,
    received_bytes: 1200,
    user_agent: "python-websockets/17.0",
    reason: "slow_consumer",
    code: 1008,
  },
];
let next = 1;

class Refused extends Error {
  constructor(code, message, pointer) {
    super(message);
    Object.assign(this, { code, pointer });
  }
}

function patch(channel, ops) {
  const state = states[channel];
  for (const { path, value } of ops) {
    const keys = path.slice(1).split("/");
    const last = keys.pop();
    keys.reduce((at, key) => at[key], state.value)[last] = value;
  }
  state.version++;
  broadcast(channel, { channel, offset: state.version, type: "state.patch", data: { ops }, time: iso(Date.now()) });
}

function broadcast(channel, params) {
  const text = JSON.stringify({ jsonrpc: "2.0", method: "event", params });
  for (const [socket, it] of sockets)
    if (it.channels.has(channel)) {
      socket.send(text);
      it.sent += text.length;
    }
}

function setStatus(name, change) {
  patch(
    "processes",
    Object.entries(change).map(([key, value]) => ({ op: "replace", path: `/${name}/${key}`, value })),
  );
}

const methods = {
  ping: () => ({ time: iso(Date.now()) }),
  subscribe({ channel, after }, it) {
    if (typeof channel !== "string") throw new Refused("invalid_params", "channel must be a string", "/params/channel");
    it.channels.add(channel);
    const log = logs[channel] ?? { head: states[channel]?.version ?? 0, oldest: 1 };
    const from = typeof after === "object" ? after.offset : after === "start" ? log.oldest - 1 : log.head;
    it.later.push(() => {
      if (logs[channel])
        for (let n = from + 1; n <= log.head; n++) it.send({ method: "event", params: event(channel, n) });
      it.send({ method: "caught_up", params: { channel, offset: log.head } });
    });
    return {
      epoch: EPOCH,
      after: from,
      head: log.head,
      oldest: log.oldest,
      recovered: true,
      ...(states[channel] && typeof after !== "object" ? { state: states[channel], messages: [] } : {}),
    };
  },
  unsubscribe({ channel }, it) {
    it.channels.delete(channel);
    return {};
  },
  history({ channel, after, before, limit = 100 }) {
    const { head, oldest } = logs[channel] ?? { head: 0, oldest: 1 };
    const from =
      after !== undefined
        ? Math.max(oldest, after + 1)
        : Math.max(oldest, Math.min(head + 1, before ?? head + 1) - limit);
    const to = after !== undefined ? Math.min(head, from + limit - 1) : Math.min(head, (before ?? head + 1) - 1);
    const events = [];
    for (let n = from; n <= to; n++) events.push(event(channel, n));
    return { epoch: EPOCH, events, oldest, head };
  },
  search({ channel, text, before, limit = 50, ignore_case }) {
    const { head, oldest } = logs[channel] ?? { head: 0, oldest: 1 };
    const fold = (s) => (ignore_case ? s.toLowerCase() : s);
    const hits = [];
    let count = 0;
    let n = Math.min(head, (before ?? head + 1) - 1);
    const end = Math.max(oldest, n - 60_000);
    for (; n >= end; n--) {
      const one = event(channel, n);
      if (!fold(String(one.data.text)).includes(fold(text))) continue;
      count++;
      if (limit > 0) hits.push(one);
      if (limit > 0 && hits.length >= limit) {
        n--;
        break;
      }
    }
    return { hits, count, scanned_to: n + 1, complete: n + 1 <= oldest };
  },
  state: ({ channel }) => ({ epoch: EPOCH, ...(states[channel] ?? { version: 0, value: {} }) }),
  "channel.list": ({ prefix = "" }) => ({
    epoch: EPOCH,
    channels: env.EMPTY
      ? []
      : Object.entries(logs)
          .filter(([c]) => c.startsWith(prefix))
          .map(([channel, { oldest, head }]) => ({ channel, oldest, head })),
  }),
  "connection.list": () => ({
    connections: [...sockets.values()].map((it) => ({
      connection_id: it.id,
      user: "local",
      transport: "websocket",
      path: it.path,
      address: it.address,
      connected_at: iso(it.at),
      subscriptions: [...it.channels].map((channel) => ({ channel, phase: "live", lag: 0 })),
      queued_bytes: 0,
      sent_bytes: it.sent,
      received_bytes: it.received,
      user_agent: it.agent,
    })),
    recent,
  }),
  "process.start"({ name }) {
    if (name === "web") throw new Refused("conflict", "port 8000 is already in use by pid 4411");
    setStatus(name, {
      status: "running",
      pid: 9000 + next,
      started_at: iso(Date.now()),
      ended_at: null,
      exit_code: null,
      cpu_percent: 1,
      memory_bytes: 9_000_000,
    });
    return { name, process: states.processes.value[name] };
  },
  async "process.stop"({ name }) {
    setStatus(name, { status: "stopping" });
    await new Promise((done) => setTimeout(done, 700));
    setStatus(name, { status: "stopped", pid: null, ended_at: iso(Date.now()), cpu_percent: null, memory_bytes: null });
    return { name, process: states.processes.value[name] };
  },
  async "process.restart"(params) {
    await methods["process.stop"](params);
    return methods["process.start"](params);
  },
  "process.write": () => ({}),
  publish: ({ channel }) => {
    if (channel.startsWith("log:"))
      throw new Refused("channel_owned", "A service owns this channel.", "/params/channel");
    return { epoch: EPOCH, offset: next++ };
  },
};

async function answer(it, text) {
  let request;
  try {
    request = JSON.parse(text);
  } catch {
    return it.send({
      id: null,
      error: { code: -32700, message: "not JSON", data: { code: "invalid_json", retryable: false } },
    });
  }
  try {
    const method = methods[request.method];
    if (!method) throw new Refused("unknown_method", `There is no method ${request.method}.`);
    const result = await method(request.params ?? {}, it);
    it.send({ id: request.id, result });
  } catch (error) {
    it.send({
      id: request.id ?? null,
      error: {
        code: -32000,
        message: error.message,
        data: { code: error.code ?? "internal", pointer: error.pointer, retryable: false },
      },
    });
  }
  for (const task of it.later.splice(0)) task();
}

const signedIn = (request) => !TOKEN || (request.headers.cookie ?? "").includes(`antiphon_session=${TOKEN}`);

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://x");
  if (!url.pathname.startsWith(PREFIX)) {
    response.writeHead(404).end();
    return;
  }
  const path = url.pathname.slice(PREFIX.length);
  const json = (status, body, headers = {}) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  if (path === "api/session") {
    if (request.method === "GET")
      return signedIn(request)
        ? json(200, { user: "local", grants: [], auth: Boolean(TOKEN) })
        : json(401, { code: "unauthenticated", message: "Sign in first." });
    if (request.method === "DELETE")
      return response.writeHead(204, { "set-cookie": "antiphon_session=; Max-Age=0; Path=/" }).end();
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () =>
      JSON.parse(body).token === TOKEN
        ? json(
            200,
            { user: "local", grants: [], auth: true },
            { "set-cookie": `antiphon_session=${TOKEN}; HttpOnly; SameSite=Strict; Path=/` },
          )
        : json(401, { code: "unauthenticated", message: "This token is not known." }),
    );
    return;
  }
  const file = normalize(join(DIST, path));
  if (path !== "" && file.startsWith(DIST) && existsSync(file) && extname(file)) {
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-security-policy": CSP,
    });
    return createReadStream(file).pipe(response);
  }
  response.writeHead(200, { "content-type": TYPES[".html"], "content-security-policy": CSP });
  response.end(
    readFileSync(join(DIST, "index.html"), "utf8").replace('<base href="/" />', `<base href="${PREFIX}" />`),
  );
});

const wss = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  if (!signedIn(request)) return socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
  wss.handleUpgrade(request, socket, head, (ws) => {
    const it = {
      id: `c-${next++}`,
      path: request.url,
      at: Date.now(),
      channels: new Set(),
      later: [],
      sent: 0,
      received: 0,
      address: `${request.socket.remoteAddress}:${request.socket.remotePort}`,
      agent: request.headers["user-agent"] ?? null,
    };
    it.send = (message) => {
      const text = JSON.stringify({ jsonrpc: "2.0", ...message });
      it.sent += text.length;
      ws.send(text);
    };
    sockets.set(ws, it);
    it.send({
      method: "welcome",
      params: {
        protocol: 1,
        server: "antiphon/stand-in",
        epoch: EPOCH,
        connection_id: it.id,
        user: "local",
        features: ["processes"],
        limits: { message_bytes: 1048576 },
      },
    });
    ws.on("message", (data) => {
      it.received += data.length;
      void answer(it, String(data));
    });
    ws.on("close", (code) => {
      sockets.delete(ws);
      recent.unshift({
        connection_id: it.id,
        user: "local",
        transport: "websocket",
        path: it.path,
        address: it.address,
        connected_at: iso(it.at),
        disconnected_at: iso(Date.now()),
        sent_bytes: it.sent,
        received_bytes: it.received,
        user_agent: it.agent,
        reason: "client_closed",
        code,
      });
    });
  });
});

let owed = 0;
let rate = Number(env.RATE ?? 3);
process.on("SIGUSR1", () => {
  rate = rate > 100 ? 3 : 5000;
});
setInterval(() => {
  owed += rate / 50;
  for (; owed >= 1; owed--) {
    const log = logs["log:indexer"];
    log.head++;
    broadcast("log:indexer", { ...event("log:indexer", log.head), time: iso(Date.now()) });
  }
}, 20);
setInterval(() => {
  if (!env.EMPTY && states.processes.value.indexer.status === "running")
    setStatus("indexer", { cpu_percent: 8 + Math.random() * 9 });
}, 2000);

server.listen(Number(env.PORT ?? 8003), "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${server.address().port}${PREFIX}${TOKEN ? `#token=${TOKEN}` : ""}`),
);
