import * as z from "zod/mini";
import { EXAMPLE_KEY } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, READERS } from "../../api/route.ts";
import { Instant, instant, mapOf, SentInstant } from "../../api/schemas.ts";
import { readUsage } from "../../store/usage.ts";
import { usageOf } from "../usage.ts";
import { finder, KeyParams } from "./find-key.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STEPS = { hour: HOUR, day: DAY };
/** Longest span an answer covers, by step: some 750 and 800 steps. */
const LONGEST = { hour: 31 * DAY, day: 800 * DAY };
/** Rows read from D1 for one answer. */
const MOST_ROWS = 20_000;

const Query = z.strictObject({
  from: z.optional(SentInstant).check(z.describe("Default: 7 days before `to`")),
  to: z.optional(SentInstant).check(z.describe("Default: now")),
  step: z._default(z.enum(["hour", "day"]), "hour").check(z.describe("Days are days of UTC")),
});

const Count = z.int().check(z.minimum(0));
const Denials = mapOf(Count).check(z.describe("Counts by reason"));

const UsageSchema = z
  .strictObject({
    key_id: z.string(),
    from: Instant,
    to: Instant,
    step: z.enum(["hour", "day"]),
    totals: z.strictObject({ reads: Count, writes: Count, denials: Denials }),
    data: z.array(
      z.strictObject({
        start: Instant,
        endpoint_id: z.nullable(z.string()).check(z.describe("Null: refused before an endpoint was known")),
        reads: Count,
        writes: Count,
        denials: Denials,
      }),
    ),
  })
  .check(z.meta({ id: "Usage" }));

export const usageRoute = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/api-keys/{id}/usage",
  summary: "Get the usage of an API key",
  description:
    "Reads, writes, and denials by reason, for each endpoint and step. Steps in which nothing happened are left out; the newest counts lag by some 15 seconds, and where many keys are busy by up to an hour and a quarter. `from` is rounded down and `to` up to a whole step.",
  tag: "API keys",
  params: KeyParams,
  query: Query,
  answers: {
    200: {
      description: "The counts, oldest first",
      schema: UsageSchema,
      example: {
        key_id: EXAMPLE_KEY.id,
        from: "2026-11-20T00:00:00.000Z",
        to: "2026-11-21T00:00:00.000Z",
        step: "day",
        totals: { reads: 7, writes: 2, denials: { insufficient_scope: 1 } },
        data: [
          {
            start: "2026-11-20T00:00:00.000Z",
            endpoint_id: "chat",
            reads: 7,
            writes: 2,
            denials: { insufficient_scope: 1 },
          },
        ],
      },
    },
  },
  errors: ["api_key_not_found"],
  async handle(call) {
    const { query, now, env } = call;
    const row = await finder(call)();
    if (row === null) return { code: "api_key_not_found" };
    const step = STEPS[query.step];
    const end = query.to ?? now;
    const start = query.from ?? end - 7 * DAY;
    const [from, to] = [Math.floor(start / step) * step, Math.ceil(end / step) * step];
    if (start >= end) return { code: "invalid_request", detail: "from must be before to" };
    if (to - from > LONGEST[query.step] + step) {
      const days = LONGEST[query.step] / DAY;
      return {
        code: "invalid_request",
        detail: `from and to must be at most ${days} days apart by the ${query.step}`,
      };
    }
    const rows = await readUsage(env.DB, row.id, { from, to, step }, MOST_ROWS + 1);
    if (rows.length > MOST_ROWS) {
      return {
        code: "invalid_request",
        detail: "There are too many counts: ask for less time, or by the day",
      };
    }
    return ok({ key_id: row.id, from: instant(from), to: instant(to), step: query.step, ...usageOf(rows) });
  },
});
