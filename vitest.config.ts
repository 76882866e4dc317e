import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // On two cores. Files that wait for a lease to end leave room for a third.
    maxWorkers: 3,
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
