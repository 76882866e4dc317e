// `npm run --silent convert -- FROM [--account ID] [--graphql read|read_write] < export > keys.ndjson`
// Turns another system's export into lines for `POST /admin/keys/import` (docs/migrate.md). Reads a JSON array, an
// object with the array as its member `data`, or a JSON value a line.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FORMATS } from "./convert/formats.ts";
import { die } from "./die.ts";

const USAGE = `Usage: npm run --silent convert -- ${Object.keys(FORMATS).join("|")} [--account ID] [--graphql read|read_write]`;

const { values, positionals } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [from = "", ...more] = positionals;
if (!Object.hasOwn(FORMATS, from) || more.length > 0) die(USAGE, 2);
const convert = FORMATS[from]!;
if (values.graphql !== "read" && values.graphql !== "read_write") die(USAGE, 2);

let failed = 0;
records(readFileSync(0, "utf8")).forEach((row, i) => {
  try {
    const { owner, ...key } = convert(typeof row === "string" ? { sha256: row } : (row as never), Date.now());
    const account_id = values.account ?? owner ?? missing("an account: no owner is named, and no --account");
    console.log(JSON.stringify({ account_id, ...key, graphql: values.graphql }));
  } catch (error) {
    failed++;
    // Never the record itself: it may hold a key.
    console.error(`Record ${i + 1}: ${(error as Error).message}`);
  }
});
if (failed > 0) process.exitCode = 1;

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        account: { type: "string" },
        graphql: { type: "string", default: "read_write" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    return die(`${(error as Error).message}\n${USAGE}`, 2);
  }
}

function missing(what: string): never {
  throw new Error(`${what} is given`);
}

/** The export's records, whichever way they are put together. */
function records(text: string): unknown[] {
  try {
    const whole = JSON.parse(text) as unknown;
    const list = Array.isArray(whole) ? whole : (whole as { data?: unknown[] }).data;
    return Array.isArray(list) ? list : [whole];
  } catch {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line) => (/^[0-9a-f]{64}$/i.test(line.trim()) ? line.trim() : parsed(line)));
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
