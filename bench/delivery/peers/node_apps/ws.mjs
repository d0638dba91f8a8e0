// The usual way with `ws`: a set of sockets per channel, and a loop. A message that a client sends names a channel.

import { WebSocket, WebSocketServer } from "ws";

import { listen } from "./publisher.mjs";

const channels = new Map();

const server = listen((channel, data) => {
  for (const socket of channels.get(channel) ?? []) {
    if (socket.readyState === WebSocket.OPEN) socket.send(data, { binary: false });
  }
});

new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
  const mine = new Set();
  socket.on("message", (message) => {
    const channel = message.toString();
    if (!channels.has(channel)) channels.set(channel, new Set());
    channels.get(channel).add(socket);
    mine.add(channel);
    socket.send("subscribed");
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    for (const channel of mine) channels.get(channel).delete(socket);
  });
});
