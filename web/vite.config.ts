import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Where `npm run dev` finds a server: an `antiphon serve`, or the stand-in of `npm run stand-in`. */
const server = process.env["ANTIPHON_URL"] ?? "http://127.0.0.1:8003";

/** What the page in `public/api` needs of Swagger UI: its scripts, its style, and whose work they are. */
const SWAGGER_UI = ["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE", "NOTICE"];

function apiDocumentation(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  return {
    name: "api-documentation",
    apply: "build",
    async generateBundle() {
      for (const name of SWAGGER_UI)
        this.emitFile({ type: "asset", fileName: `api/${name}`, source: await readFile(join(folder, name)) });
    },
  };
}

export default defineConfig({
  // Relative, because the dashboard may be mounted below a prefix; `<base href>` says which.
  base: "./",
  plugins: [react(), tailwindcss(), apiDocumentation()],
  resolve: {
    alias: {
      "@antiphon/client/react": path("../clients/typescript/react/index.ts"),
      "@antiphon/client": path("../clients/typescript/src/index.ts"),
    },
    dedupe: ["react", "react-dom"],
  },
  build: {
    outDir: path("../src/antiphon/static"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows no data: URLs for scripts and fonts
    modulePreload: { polyfill: false },
  },
  server: {
    fs: { allow: [path(".."), path(".")] },
    proxy: { "/api": server, "/live": { target: server.replace(/^http/, "ws"), ws: true } },
  },
  test: { environment: "node", include: ["tests/**/*.test.{ts,tsx}"], testTimeout: 10_000 },
});
