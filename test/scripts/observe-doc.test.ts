import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { type Journey, writeLog } from "../../src/journey/log.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/observe.md"), "utf8");

/** Every member, with a value that tells it apart. */
const journey: Required<Journey> = {
  request_id: "the request id",
  ray: "the ray",
  method: "method",
  account_id: "account id",
  key_id: "key id",
  endpoint_id: "endpoint id",
  namespace_id: "the namespace",
  token_id: "the token",
  operation: "operation" as "read",
  decision: "decision" as "deny",
  reason: "reason",
  tier: "tier",
  status: 1,
  postern_ms: 2,
  origin_ms: 3,
};
const NUMBERS: Record<number, string> = { 1: "status", 2: "postern_ms", 3: "origin_ms" };

/** Rows of the page's tables, each cell without its back quotes. */
const rows = [...page.matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, name, text]) => ({
  name: name!.replaceAll("`", ""),
  text: text!.replaceAll("`", ""),
}));

it("docs/observe.md names every member of the log line", () => {
  const named = rows.flatMap(({ name }) => name.split(", "));
  for (const member of Object.keys(journey)) expect(named).toContain(member);
});

it("its columns of a data point are the ones that are written, and its queries use no other", () => {
  let point: AnalyticsEngineDataPoint = {};
  const ANALYTICS = {
    writeDataPoint(written: AnalyticsEngineDataPoint) {
      point = written;
    },
  };
  writeLog(journey, { ANALYTICS } as unknown as Env, false);
  const written: Record<string, string> = {
    ...Object.fromEntries((point.indexes ?? []).map((value, i) => [`index${i + 1}`, String(value)])),
    ...Object.fromEntries((point.blobs ?? []).map((value, i) => [`blob${i + 1}`, String(value)])),
    ...Object.fromEntries((point.doubles ?? []).map((value, i) => [`double${i + 1}`, NUMBERS[value]!])),
  };
  const documented = rows.filter(({ name }) => /^(?:index|blob|double)\d+$/.test(name));
  expect(Object.fromEntries(documented.map(({ name, text }) => [name, text.split(",")[0]]))).toEqual(written);

  const queries = /```sql\n(.*?)```/s.exec(page)![1]!;
  for (const [column] of queries.matchAll(/\b(?:index|blob|double)\d+\b/g))
    expect(written).toHaveProperty(column);
  for (const [, alias, name] of queries.matchAll(/\b(blob\d+) AS (\w+)/g)) {
    expect(written[alias!]!.replace(" ", "_")).toBe(name);
  }
});
