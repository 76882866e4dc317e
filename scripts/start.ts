// `npm start`: the gateway in workerd, with two demo origins and a demo account. Needs neither the internet nor
// a Cloudflare account. State is kept under .wrangler/.
import { join } from "node:path";
import { createAdminClient } from "../demo/admin-client.ts";
import { demoCommands } from "../demo/commands.ts";
import { start as startGraphqlOrigin } from "../demo/graphql-origin.ts";
import { createDemoKeys } from "../demo/keys.ts";
import { start as startOpenaiOrigin } from "../demo/openai-origin.ts";
import { DEMO_ACCOUNT, seedDemo } from "../demo/seed.ts";
import { parseConfig } from "../src/env.ts";
import { type Gateway, PortInUseError, startGateway } from "./gateway.ts";
import { readLocalSecrets, STATE_DIR } from "./local-secrets.ts";
import { localSettings, signsSessionsItself } from "./local-settings.ts";
import { signSessionToken } from "./session-token.ts";
import { onStop } from "./stop.ts";

/** Set to the console's sign-in path once there is one; the link is printed with a session token behind it. */
const SIGN_IN_PATH: string | undefined = undefined;

const port = readPort(process.env.PORT ?? "8787");
const local = await readLocalSecrets();
const settings = localSettings(local, `http://127.0.0.1:${port}`, process.env);

// Wrong settings are told here, in one line, rather than by a Worker that answers every request with 500.
const config = orDie(() => parseConfig({ ...settings.vars, ...settings.secrets }));

const gateway = await serve();
const openai = await startOpenaiOrigin(port + 1);
const graphql = await startGraphqlOrigin(port + 2);
onStop(async () => {
  await Promise.all([gateway.stop(), openai.stop(), graphql.stop()]);
});

console.log(`Demo origins: http://127.0.0.1:${openai.port}/v1 and http://127.0.0.1:${graphql.port}/graphql`);
if (signsSessionsItself(process.env)) await seed();
else console.log("Sessions are signed elsewhere (SESSION_JWKS, SESSION_JWKS_URL): the demo is not set up.");
console.log(`Postern is ready on ${gateway.url}`);

async function serve(): Promise<Gateway> {
  try {
    return await startGateway({
      port,
      ...settings,
      persist: join(STATE_DIR, "state"),
      log: (line) => console.log(line),
    });
  } catch (error) {
    if (error instanceof PortInUseError) die(`${error.message}. PORT chooses another: PORT=8800 npm start`);
    throw error;
  }
}

async function seed(): Promise<void> {
  const token = await signSessionToken(local, settings, { account: DEMO_ACCOUNT, admin: true });
  const host = config.HOSTNAMES[0] ?? new URL(gateway.url).host;
  const keys = createDemoKeys(local.DEMO_SEED, config.KEY_PREFIX[0]!, config.KEY_TAG_SECRETS);
  const origins = { openai: `http://127.0.0.1:${openai.port}`, graphql: `http://127.0.0.1:${graphql.port}` };
  try {
    const secrets = await seedDemo(
      createAdminClient(gateway.url, host, token),
      keys,
      origins,
      new Date(local.created_at),
    );
    console.log(`\nKeys of the account "${DEMO_ACCOUNT}":`);
    for (const [name, key] of Object.entries(secrets)) console.log(`  ${name.padEnd(18)}${key}`);
    console.log(`\n${demoCommands(gateway.url, secrets)}`);
    if (SIGN_IN_PATH !== undefined) console.log(`Console: ${gateway.url}${SIGN_IN_PATH}?token=${token}\n`);
  } catch (error) {
    // The gateway itself runs: what is missing is only something to try it with.
    console.error(`The demo could not be set up: ${(error as Error).message}`);
  }
}

function readPort(text: string): number {
  const value = Number(text);
  // The two ports above it are the demo origins'.
  if (!/^\d+$/.test(text) || value < 1 || value > 65533)
    die(`PORT must be a number from 1 to 65533, not "${text}"`);
  return value;
}

function orDie<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return die((error as Error).message);
  }
}

function die(message: string): never {
  console.error(message);
  process.exit(1);
}
