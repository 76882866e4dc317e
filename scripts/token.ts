// `npm run --silent token -- --account ID [--role owner] [--admin] [--email E]`
// Prints a session token for the local gateway, and nothing else.
import { parseArgs } from "node:util";
import { ID } from "../src/endpoints/endpoint.ts";
import { die, orDie } from "./die.ts";
import { readLocalSecrets } from "./local-secrets.ts";
import { localSettings } from "./local-settings.ts";
import { ROLES, type SessionSubject, signSessionToken } from "./session-token.ts";

const USAGE = `Usage: npm run --silent token -- --account ID [--role ${ROLES.join("|")}] [--admin] [--email E]`;

/** An e-mail address as the gateway accepts it in a session: one @ between visible ASCII characters. */
const EMAIL = /^(?!.*@.*@)[\x21-\x7e]+@[\x21-\x7e]+$/;

class UsageError extends Error {}

function parse(args: string[]): SessionSubject | "help" {
  const { values, tokens } = parseArgs({
    args,
    tokens: true,
    options: {
      account: { type: "string" },
      role: { type: "string" },
      admin: { type: "boolean" },
      email: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { help, ...subject } = values;
  if (help) return "help";
  const flags = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
  const repeated = flags.find((name, i) => flags.indexOf(name) !== i);
  if (repeated !== undefined) throw new UsageError(`--${repeated} is given twice`);
  const role = ROLES.find((name) => name === values.role);
  if (values.role !== undefined && role === undefined) throw new UsageError(`Unknown role: ${values.role}`);
  if (values.account !== undefined && !ID.test(values.account)) {
    throw new UsageError(`Not an account id: "${values.account}". It must match ${ID.source}`);
  }
  if (values.email !== undefined && !EMAIL.test(values.email)) {
    throw new UsageError(`Not an e-mail address: "${values.email}"`);
  }
  if (values.account === undefined && !values.admin && values.email === undefined) {
    throw new UsageError("Name an account, an e-mail address, or --admin");
  }
  return { ...subject, role };
}

let subject: SessionSubject | "help";
try {
  subject = parse(process.argv.slice(2));
} catch (error) {
  die(`${(error as Error).message}\n${USAGE}`, 2);
}
if (subject === "help") {
  console.log(USAGE);
  process.exit(0);
}
const local = await orDie(readLocalSecrets);
console.log(await signSessionToken(local, localSettings(local, "", process.env), subject));
