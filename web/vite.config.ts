import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../rl_teacher/server/static",
    emptyOutDir: true,
    target: "es2022",
    // The page's content policy forbids inline code and data: scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "node" },
});
