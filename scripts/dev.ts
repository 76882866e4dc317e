// `npm run dev`: `wrangler dev` with the local edition's settings and schema, reloading as files change. Its
// proxy rewrites paths, hosts and headers before the Worker sees them: for requests as they arrive, `npm start`.
import { spawn, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../src/env.ts";
import { orDie } from "./die.ts";
import { readLocalSecrets, STATE_DIR } from "./local-secrets.ts";
import { localSettings } from "./local-settings.ts";
import { lockState } from "./state-lock.ts";
import { QUIET_WRANGLER, wranglerConfigIn } from "./wrangler-config.ts";

const ROOT = join(import.meta.dirname, "..");
const port = process.env.PORT ?? "8787";
const local = await orDie(readLocalSecrets);
const { vars, secrets } = localSettings(local, `http://127.0.0.1:${port}`, process.env);
await orDie(() => parseConfig({ ...vars, ...secrets }));

const directory = join(STATE_DIR, "dev");
await orDie(() => lockState(directory));
const config = join(directory, "wrangler.toml");
const values = join(directory, `${process.pid}.env`);
// Where [secrets] lists what must be set, wrangler reads nothing else from a file. [vars] describe production.
const toml = wranglerConfigIn(directory)
  .replace(/^\[secrets\]\n.*\n/m, "")
  .replace(/^\[vars\]\n(?:(?:#.*|\w+ = .*)?\n)*/m, "");
writeFileSync(config, toml);
// Single quotes: the values are JSON and URLs, which hold none, and nothing in them is expanded.
const lines = Object.entries({ ...vars, ...secrets }).map(([name, value]) => `${name}='${value}'`);
writeFileSync(values, `${lines.join("\n")}\n`, { mode: 0o600 });
process.on("exit", () => rmSync(values, { force: true }));

const options = {
  cwd: ROOT,
  env: {
    ...process.env,
    ...QUIET_WRANGLER,
    CLOUDFLARE_CF_FETCH_ENABLED: "false", // else it asks the internet for a sample `request.cf`
  },
};
const shared = ["--config", config, "--persist-to", join(STATE_DIR, "dev", "state")];
const migrate = ["d1", "migrations", "apply", "DB", "--local", ...shared];
const applied = spawnSync("wrangler", migrate, { ...options, stdio: ["ignore", "ignore", "inherit"] });
if (applied.status !== 0) process.exit(1);

const wrangler = spawn(
  "wrangler",
  ["dev", "--ip", "127.0.0.1", "--port", port, "--env-file", values, ...shared, ...process.argv.slice(2)],
  { ...options, stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => wrangler.kill(signal));
wrangler.on("exit", (code) => process.exit(code ?? 0));
