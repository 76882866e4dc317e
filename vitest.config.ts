import { defineConfig } from "vitest/config";

/** Tests of running gateways, browsers and clients: processes, sockets and clocks of a machine that is shared. */
const RUNNING = [
  ...["account", "admin", "api", "browser", "conformance", "console", "e2e", "kubernetes"],
  ...["scripts", "session", "signing", "webhooks"],
].map((part) => `test/${part}/**/*.test.ts`);

/** As tsconfig.json has it: what JSX compiles to. */
const JSX = new URL("src/html/jsx-runtime.ts", import.meta.url).pathname;
const resolve = { alias: { "@postern/html/jsx-runtime": JSX, "@postern/html/jsx-dev-runtime": JSX } };

const common = {
  testTimeout: 20_000,
  hookTimeout: 30_000,
  env: { WRANGLER_SEND_METRICS: "false", DO_NOT_TRACK: "1" },
};

export default defineConfig({
  test: {
    // On two cores. Files that wait for a lease to end leave room for a third.
    maxWorkers: 3,
    projects: [
      { resolve, test: { ...common, name: "node", include: ["test/**/*.test.ts"], exclude: RUNNING } },
      // Once more before it counts; vitest's report names the test all the same.
      { resolve, test: { ...common, name: "running", include: RUNNING, retry: 1 } },
    ],
  },
});
