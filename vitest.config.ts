import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // A gateway per file is a workerd and two compilers: more files at once than cores only wait.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
          env: { WRANGLER_SEND_METRICS: "false", DO_NOT_TRACK: "1" },
        },
      },
    ],
  },
});
