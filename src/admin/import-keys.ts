import { refusalOf, unseenBy } from "../account/grant.ts";
import { auditViewOf } from "../account/key-view.ts";
import { type Line, readLines } from "../api/lines.ts";
import { carryOut, type Operator } from "../api/operator.ts";
import { unknownAccounts } from "../store/accounts.ts";
import type { Named } from "../store/key-conditions.ts";
import { importKeys as importWrite, type KeyRow, readKnownKeys } from "../store/keys.ts";
import { type Imported, readRecord } from "./import-record.ts";

/** Longest line, in bytes: 200 scope strings of the longest sort. */
export const MAX_LINE = 64 * 1024;
/** Lines handled in one change. Each change costs up to ten queries, of the 1,000 that D1 allows a request. */
const CHUNK_LINES = 2000;
/** Text of the lines in one change, in characters; what becomes of it stays under D1's 2 MB for a value. */
const CHUNK_TEXT = 512 * 1024;

/** What became of one line. */
export interface LineResult {
  line: number;
  status: "created" | "unchanged" | "error";
  id?: string;
  error?: { code: string; message: string };
}

export interface Summary {
  created: number;
  unchanged: number;
  failed: number;
}

/**
 * Imports keys line by line, in changes of up to two thousand, each key with its audit row. Keys that are
 * there already are left as they are, so that an import may be repeated, or resumed after a failure. The
 * limit of active keys does not hold here: an import never breaks what worked elsewhere.
 */
export async function* importKeys(
  operator: Operator,
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<LineResult | { summary: Summary }> {
  const summary: Summary = { created: 0, unchanged: 0, failed: 0 };
  const settle = async function* (lines: readonly Line[]) {
    for (const result of await importChunk(operator, lines)) {
      summary[result.status === "error" ? "failed" : result.status] += 1;
      yield result;
    }
  };

  let chunk: Line[] = [];
  let size = 0;
  for await (const line of readLines(body, MAX_LINE)) {
    chunk.push(line);
    size += line.text?.length ?? 0;
    if (chunk.length < CHUNK_LINES && size < CHUNK_TEXT) continue;
    yield* settle(chunk);
    chunk = [];
    size = 0;
  }
  if (chunk.length > 0) yield* settle(chunk);
  yield { summary };
}

const failed = (line: number, code: string, message: string): LineResult => ({
  line,
  status: "error",
  error: { code, message },
});

const PROBLEMS = {
  too_long: `The line is longer than ${MAX_LINE} bytes`,
  not_utf8: "The line is not UTF-8",
};

/** A line that stands for a record. */
interface Candidate extends Imported {
  line: number;
}

/** The results of some lines, in their order. */
async function importChunk(operator: Operator, lines: readonly Line[]): Promise<LineResult[]> {
  const read = lines.map(({ number: line, text, problem }): Candidate | LineResult => {
    if (text === null) return failed(line, "invalid_request", PROBLEMS[problem!]);
    const record = readRecord(text, operator);
    return "message" in record ? failed(line, "invalid_request", record.message) : { line, ...record };
  });
  const candidates = read.filter((one) => "row" in one);
  const results = new Map<number, LineResult>();
  try {
    for (const result of await importAll(operator, candidates)) results.set(result.line, result);
  } catch (error) {
    console.error(JSON.stringify({ message: "import failed", error: String(error) }));
  }
  return read.map((one) => {
    if (!("row" in one)) return one;
    return results.get(one.line) ?? failed(one.line, "state_unavailable", TRY_AGAIN);
  });
}

const TRY_AGAIN = "The line could not be imported right now; import it again";

async function importAll(
  operator: Operator,
  candidates: readonly Candidate[],
  tries = 3,
): Promise<LineResult[]> {
  const { DB } = operator.env;
  const [hashes, ids] = [candidates.map(({ row }) => row.hash), candidates.map(({ row }) => row.id)];
  const before = await readKnownKeys(DB, hashes, ids);
  const taken = new Set(before.flatMap(({ hash, id }) => [hash, id]));
  const unknown = candidates.filter(({ row }) => !taken.has(row.hash) && !taken.has(row.id));
  const named: Named = {};
  const refusals = await refusalsOf(DB, unknown, named);
  // Of lines with the same key, or the same id, the first that can be imported counts.
  const rows: KeyRow[] = [];
  for (const candidate of unknown) {
    const { hash, id } = candidate.row;
    if (refusals.has(candidate) || taken.has(hash) || taken.has(id)) continue;
    taken.add(hash).add(id);
    rows.push(candidate.row);
  }
  const result = rows.length === 0 ? "committed" : await insert(operator, rows, named);
  // An account, or something that a line names, has gone meanwhile: the next look tells which line's.
  if (result === "refused" && tries > 1) return importAll(operator, candidates, tries - 1);

  // Read anew: somebody else may have imported the same keys at the same time.
  const after = rows.length === 0 ? before : await readKnownKeys(DB, hashes);
  const stored = new Map(after.map((known) => [known.hash, known]));
  const tried = new Set(rows);
  return candidates.map((candidate) => {
    const { line, row } = candidate;
    const refusal = refusals.get(candidate);
    if (refusal !== undefined) return failed(line, "invalid_request", refusal);
    const known = stored.get(row.hash);
    if (known === undefined) {
      return result === "committed"
        ? failed(line, "conflict", `The id ${row.id} is another key's`)
        : failed(line, "state_unavailable", TRY_AGAIN);
    }
    if (known.account_id !== row.account_id) {
      return failed(line, "conflict", "This key belongs to another account");
    }
    const isNew = tried.has(row) && known.id === row.id;
    return { line, status: isNew ? "created" : "unchanged", id: known.id };
  });
}

/**
 * Why some cannot be imported: the account is unknown, or does not see what the scopes name.
 * @param named takes what they name and their accounts see
 */
async function refusalsOf(
  db: D1Database,
  candidates: readonly Candidate[],
  named: Named,
): Promise<Map<Candidate, string>> {
  const refusals = new Map<Candidate, string>();
  if (candidates.length === 0) return refusals;
  const byAccount = Map.groupBy(candidates, ({ row }) => row.account_id);
  const unknown = new Set(await unknownAccounts(db, [...byAccount.keys()]));
  for (const [accountId, ofAccount] of byAccount) {
    // One question for all of an account's lines: D1 answers a thousand a request.
    const all = {
      endpoint_ids: [...new Set(ofAccount.flatMap(({ names }) => names.endpoint_ids))],
      namespace_ids: [...new Set(ofAccount.flatMap(({ names }) => names.namespace_ids))],
    };
    const unseen = unknown.has(accountId) ? null : await unseenBy(db, accountId, all);
    if (unseen !== null) named[accountId] = unseen.recorded;
    for (const candidate of ofAccount) {
      const refusal = unseen === null ? `Unknown account: ${accountId}` : refusalOf(candidate.names, unseen);
      if (refusal !== null) refusals.set(candidate, refusal);
    }
  }
  return refusals;
}

function insert(operator: Operator, rows: readonly KeyRow[], named: Named) {
  const { now: at, actor, address } = operator;
  const entries = rows.map((row) => ({
    id: crypto.randomUUID(),
    at,
    actor,
    address,
    account_id: row.account_id,
    action: "api_key.import",
    subject: row.id,
    before: null,
    after: auditViewOf(row, at),
    hash: row.hash,
  }));
  const deed = {
    action: "api_keys.import",
    subject: rows[0]!.id,
    account_id: null,
    before: null,
    after: { lines: rows.length },
  };
  return carryOut(operator, deed, [importWrite(rows, entries, named)]);
}
