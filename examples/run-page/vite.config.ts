import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const client = (path: string): string => fileURLToPath(new URL(`../../clients/typescript/${path}`, import.meta.url));
const server = process.env["ANTIPHON_URL"] ?? "http://127.0.0.1:8003";

export default defineConfig({
  // the client from its sources; with the npm package @antiphon/client this block is not needed
  resolve: {
    alias: { "@antiphon/client/react": client("react/index.ts"), "@antiphon/client": client("src/index.ts") },
    dedupe: ["react", "react-dom"],
  },
  server: {
    fs: { allow: [client("../.."), "."] },
    proxy: { "/api": server, "/live": { target: server.replace(/^http/, "ws"), ws: true } },
  },
});
