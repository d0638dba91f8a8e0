// `POST /publish/CHANNEL`: the event's JSON goes to whoever subscribed to the channel.

import { createServer } from "node:http";

export function listen(publish) {
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      publish(decodeURIComponent(request.url.slice("/publish/".length)), Buffer.concat(chunks));
      response.writeHead(204).end();
    });
  });
  server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
  process.on("SIGTERM", () => process.exit(0));
  return server;
}
