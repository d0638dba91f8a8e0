import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  // for the example page, which knows this package by its name
  resolve: {
    alias: {
      "@antiphon/client/agui": path("./agui/index.ts"),
      "@antiphon/client/react": path("./react/index.ts"),
      "@antiphon/client": path("./src/index.ts"),
    },
    dedupe: ["react", "react-dom"],
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], testTimeout: 20_000, hookTimeout: 20_000, maxWorkers: 2 },
});
