// `npm start`: the gateway in workerd, with two demo origins and a demo account. Needs neither the internet nor
// a Cloudflare account. State is kept under .wrangler/.
import { join, relative } from "node:path";
import { type AdminClient, createAdminClient } from "../demo/admin-client.ts";
import { demoText } from "../demo/commands.ts";
import { start as startGraphqlOrigin } from "../demo/graphql-origin.ts";
import { createDemoKeys } from "../demo/keys.ts";
import { start as startOpenaiOrigin } from "../demo/openai-origin.ts";
import { DEMO_ACCOUNT, seedDemo } from "../demo/seed.ts";
import type { Origin } from "../demo/server.ts";
import { parseConfig } from "../src/env.ts";
import { die, orDie } from "./die.ts";
import { type Gateway, PortInUseError, startGateway } from "./gateway.ts";
import { readLocalSecrets, STATE_DIR } from "./local-secrets.ts";
import { localSettings, signsSessionsItself } from "./local-settings.ts";
import { signSessionToken } from "./session-token.ts";
import { lockState } from "./state-lock.ts";
import { onStop } from "./stop.ts";

/** Where the console takes a session token from a link. */
const SIGN_IN_PATH = "/console/sign-in/local";
const OTHER_PORT = "PORT chooses another: PORT=8800 npm start";

const port = readPort(process.env.PORT ?? "8787");
const local = await orDie(readLocalSecrets);
const settings = localSettings(local, `http://127.0.0.1:${port}`, process.env);

// Wrong settings are told here, in one line, rather than by a Worker that answers every request with 500.
const config = await orDie(() => parseConfig({ ...settings.vars, ...settings.secrets }));
// Each port has its own: two gateways on one database would not see each other's changes in time.
const stateDir = join(STATE_DIR, "state", String(port));
await orDie(() => lockState(stateDir));

let ready = false;
/** What sets the demo up; its requests are nobody's business. */
let setUp: AdminClient | undefined;

const gateway = await serve();
const openai = await originOn(port + 1, startOpenaiOrigin);
const graphql = await originOn(port + 2, startGraphqlOrigin);
const stop = async () => {
  await Promise.all([gateway.stop(), openai.stop(), graphql.stop()]);
};
onStop(stop);

const withoutDemo = whyWithoutDemo();
if (withoutDemo === undefined) await seed();
else console.log(`${withoutDemo}: the demo is not set up.`);
console.log(
  `\nDemo origins: http://127.0.0.1:${openai.port}/v1 and http://127.0.0.1:${graphql.port}/graphql`,
);
console.log(`  export DEMO_ORIGIN=http://127.0.0.1:${openai.port}/v1`);
// What `npm run token` must know of in another terminal.
for (const name of ["PORT", "POSTERN_STATE_DIR"]) {
  if (process.env[name]) console.log(`  export ${name}=${quoted(process.env[name])}`);
}
if (config.HOSTNAMES.length > 0) {
  console.log(`HOSTNAMES is set: a request whose host is not ${config.HOSTNAMES.join(" or ")} answers 421.`);
}
console.log(`Every route is described at ${gateway.url}/docs`);
console.log(`Postern is ready on ${gateway.url}`);
ready = true;

async function serve(): Promise<Gateway> {
  try {
    return await startGateway({ port, ...settings, persist: stateDir, log });
  } catch (error) {
    if (error instanceof PortInUseError) die(`${error.message}. ${OTHER_PORT}`);
    throw error;
  }
}

/** Not on another port where this one is taken: an endpoint that somebody registers there must find it again. */
async function originOn(at: number, start: (at: number) => Promise<Origin>): Promise<Origin> {
  try {
    return await start(at);
  } catch (error) {
    await gateway.stop();
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    die(
      `Port ${at} on 127.0.0.1 is already in use; the two above ${port} are the demo origins'. ${OTHER_PORT}`,
    );
  }
}

/** Until the gateway is ready, only problems; then every line, but for those about setting the demo up. */
function log(line: string, level: string): void {
  if (!ready) {
    if (level === "warn" || level === "error") console.error(line);
  } else if (!setUp?.requestIds.some((id) => line.includes(id))) {
    console.log(line);
  }
}

/** Settings under which the demo cannot be. */
function whyWithoutDemo(): string | undefined {
  if (!signsSessionsItself(process.env))
    return "Sessions are signed elsewhere (SESSION_JWKS, SESSION_JWKS_URL)";
  if (!config.INSECURE_ORIGIN_HOSTS.includes("127.0.0.1")) return "INSECURE_ORIGIN_HOSTS lacks 127.0.0.1";
  return undefined;
}

async function seed(): Promise<void> {
  const [host] = config.HOSTNAMES;
  const keys = createDemoKeys(local.DEMO_SEED, config.KEY_PREFIX[0]!, config.KEY_TAG_SECRETS);
  const origins = { openai: `http://127.0.0.1:${openai.port}`, graphql: `http://127.0.0.1:${graphql.port}` };
  try {
    const token = await signSessionToken(local, settings, { account: DEMO_ACCOUNT, admin: true });
    setUp = createAdminClient(gateway.url, host ?? new URL(gateway.url).host, token);
    const seeded = await seedDemo(setUp, keys, origins, new Date(local.created_at));
    const below = relative(process.cwd(), stateDir);
    const shownDir = quoted(below.startsWith("..") ? stateDir : below);
    console.log(demoText(gateway.url, seeded, shownDir, host));
    if (config.LOCAL_SIGN_IN)
      console.log(`\nConsole, signed in: ${gateway.url}${SIGN_IN_PATH}?token=${token}`);
  } catch (error) {
    await stop();
    die(`The demo could not be set up: ${(error as Error).message}`);
  }
}

function readPort(text: string): number {
  const value = Number(text);
  // The two ports above it are the demo origins'.
  if (!/^\d+$/.test(text) || value < 1 || value > 65533)
    die(`PORT must be a number from 1 to 65533, not "${text}"`);
  return value;
}

/** A value as a POSIX shell takes it. */
function quoted(value: string): string {
  return /^[\w./:-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
