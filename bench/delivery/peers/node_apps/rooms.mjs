// Socket.IO with rooms.

import { Server } from "socket.io";

import { listen } from "./publisher.mjs";

export function serve(options = {}) {
  const server = listen((channel, data) => io.to(channel).emit("event", JSON.parse(data.toString())));
  const io = new Server(server, { serveClient: false, ...options });
  io.on("connection", (socket) => {
    socket.on("subscribe", (channel) => {
      socket.join(channel);
      socket.emit("subscribed", channel);
    });
  });
}
