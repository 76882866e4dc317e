// `npm run --silent convert -- FROM [--account ID] [--graphql read|read_write] < export > keys.ndjson`
// Turns another system's export into lines for `POST /admin/keys/import` (docs/migrate.md). Reads a JSON array, an
// object with the array as its member `data`, or a JSON value a line.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FORMATS } from "./convert/formats.ts";
import { die } from "./die.ts";

const NAMES = Object.keys(FORMATS).join("|");
const USAGE = `Usage: npm run --silent convert -- ${NAMES} [--account ID] [--graphql read|read_write] < EXPORT`;

const { values, positionals } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [from = "", ...more] = positionals;
if (!Object.hasOwn(FORMATS, from) || more.length > 0) die(`What is exported is one of ${NAMES}\n${USAGE}`, 2);
const convert = FORMATS[from]!;
const { graphql } = values;
if (graphql !== "read" && graphql !== "read_write") die(`--graphql is read or read_write\n${USAGE}`, 2);

let failed = 0;
records(readFileSync(0, "utf8")).forEach((row, i) => {
  try {
    const { owner, ...key } = convert(rowOf(row), Date.now());
    const account_id = values.account ?? owner;
    if (account_id === undefined) throw new Error("it names no owner: --account says whose it becomes");
    console.log(JSON.stringify({ account_id, ...key, graphql: key.graphql ?? graphql }));
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

/** The export's records, whichever way they are put together; a line that is not JSON stays the text it is. */
function records(text: string): unknown[] {
  const bare = text.replace(/^\ufeff/, "");
  const whole = parsed(bare);
  if (typeof whole !== "string") {
    const list = Array.isArray(whole) ? whole : (whole as { data?: unknown[] } | null)?.data;
    return Array.isArray(list) ? list : [whole];
  }
  const lines = bare.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").map(parsed);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @throws Error where a record is none: it is not repeated, since it may hold a key */
function rowOf(record: unknown): Record<string, unknown> {
  if (typeof record === "string" && from === "sha256") return { sha256: record };
  if (typeof record === "string") throw new Error("it is not JSON");
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    throw new Error("it is not a JSON object");
  }
  return record as Record<string, unknown>;
}
