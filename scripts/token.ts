// `npm run --silent token -- --account ID [--role owner] [--admin] [--email E]`
// Prints a session token for the local gateway, and nothing else.
import { parseArgs } from "node:util";
import { readLocalSecrets } from "./local-secrets.ts";
import { localSettings } from "./local-settings.ts";
import { ROLES, type SessionSubject, signSessionToken } from "./session-token.ts";

const USAGE = `Usage: npm run --silent token -- --account ID [--role ${ROLES.join("|")}] [--admin] [--email E]`;

class UsageError extends Error {}

function parse(args: string[]): SessionSubject {
  const { values } = parseArgs({
    args,
    options: {
      account: { type: "string" },
      role: { type: "string" },
      admin: { type: "boolean" },
      email: { type: "string" },
    },
  });
  const role = ROLES.find((name) => name === values.role);
  if (values.role !== undefined && role === undefined) throw new UsageError(`Unknown role: ${values.role}`);
  for (const flag of ["account", "email"] as const) {
    if (values[flag]?.trim() === "") throw new UsageError(`--${flag} is empty`);
  }
  if (values.account === undefined && !values.admin && values.email === undefined) {
    throw new UsageError("Name an account, an e-mail address, or --admin");
  }
  return { ...values, role };
}

let subject: SessionSubject;
try {
  subject = parse(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exit(2);
}
const local = await readLocalSecrets();
console.log(await signSessionToken(local, localSettings(local, "", process.env), subject));
