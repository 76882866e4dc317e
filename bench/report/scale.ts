import type { AttackResult, RevocationResult } from "../simulation/attacks.ts";
import type { Bill } from "../simulation/counts.ts";
import { BARE_BILL, BARE_CPU_MS, PRICES } from "../simulation/prices.ts";
import { COLOS, KEYS, WARM_HOURS, type World } from "../simulation/scenarios.ts";
import type { Result } from "../simulation/simulate.ts";
import type { Section } from "./section.ts";
import { barChart } from "./svg.ts";
import { percent, table, times, whole } from "./table.ts";

interface Row {
  name: string;
  world: World;
  slice: Result;
  bill: Bill;
  busiest: { name: string; perSecond: number };
}

interface Simulation {
  rows: Row[];
  kvPerRequest: number;
  attacks: { forged: AttackResult; legacy: AttackResult; hotKey: Result; revocation: RevocationResult };
}

const label = ({ isolates, rate, name, shape }: World) =>
  `${whole(isolates)} isolates, ${whole(rate)}/s, ${name}, ${shape}`;

const dollars = (amount: number) => `$${amount.toFixed(4)}`;

/** What Postern asks of the platform at scale, and what that costs. */
export function scale({ rows, kvPerRequest, attacks }: Simulation): Section {
  const { forged, legacy, hotKey, revocation } = attacks;
  const share = (counts: AttackResult) => whole(counts.kvReads + counts.d1Queries + counts.ledgerCalls);
  const text = [
    `From Postern's own code (\`src/freshness\`, \`src/ledger\`, \`src/journey\`) under a virtual clock, counting what it
asks. ${COLOS} locations, Zipf traffic (exponent 1) over ${whole(KEYS)} keys; "at home": nine tenths of a key's requests
arrive in one location; "anywhere": they arrive in all alike. *direct*: as it comes out of the box, isolates ask the
ledger's shards. *relays*: with \`LEDGER_RELAYS\` and \`COLO_CACHE\` (docs/scale.md). Prices are those published for what
lies beyond the plan's allowance; the bare Worker's bill is ${dollars(BARE_BILL)} per million requests
(${dollars(PRICES.workerRequests)} and ${BARE_CPU_MS} ms of CPU time each).`,
    table(
      [
        "world",
        "requests that ask anything",
        "bill, against the bare Worker's",
        "calls/s, busiest object",
        "target",
      ],
      rows.map(({ world, slice, bill, busiest }) => [
        label(world),
        percent(slice.asking),
        times(bill.againstBare, 3),
        `${busiest.perSecond.toFixed(0)} (${busiest.name.replace(/-\d+$/, "")})`,
        verdict(world, slice, bill, busiest.perSecond),
      ]),
    ),
    `The target is 2 % of requests, 1.05 times the bill and 500 calls a second, for 100,000 requests a second at home
and above. KV asked once per request would come to ${times(kvPerRequest, 2)} the bare Worker's bill.`,
    "![Bill against the bare Worker's](images/performance-bill.svg)",
    `### What the bill is made of, in dollars per million requests`,
    table(
      ["world", "KV reads", "KV writes", "D1 rows", "ledger calls", "ledger duration", "ledger rows"],
      rows.map(({ world, bill: { dollars: d } }) => [
        label(world),
        dollars(d.kvReads),
        dollars(d.kvWrites),
        dollars(d.d1RowsRead + d.d1RowsWritten),
        dollars(d.ledgerCalls),
        dollars(d.ledgerGbSeconds),
        dollars(d.ledgerRowsRead + d.ledgerRowsWritten),
      ]),
    ),
    `What remains is almost all usage tracking: a key that is used has a row for its hour and a row for its last use,
written once an hour, and its hour's row is indexed by time, so that old ones can be found. With few requests to each
key nothing can be shared, whatever the design: a thousand requests a second over a million keys write half a row
each.`,
    `### How each number was found

- *Requests*: some locations in full, request by request, ${whole(Math.min(...rows.map((row) => row.slice.requests)))} to ${whole(Math.max(...rows.map((row) => row.slice.requests)))} of them after
  a warm-up. Every key's record is taken to be in KV; each location's cache is taken to hold what came by in
  ${WARM_HOURS} hours, drawn by chance. Cloudflare promises no retention there; what it drops is a KV read.
- *Busiest object*: every relay of the whole world with some eight isolates each, or every isolate where there are no
  relays, all busy; a relay asks a shard at most twice a second, however many isolates ask it.
- *Usage*: one real shard (or a part of its keys) with its share of the requests, over an hour with one flush of it.
- Rows are counted as D1 counts them, index entries included; setting an alarm is a row. Objects are taken to be awake
  all the time.`,
    `### Under attack`,
    table(
      ["attack", "requests", "KV, D1 and ledger operations", "what came of it"],
      [
        ["forged native keys", whole(forged.requests), share(forged), "all refused by their tag"],
        [
          "unknown legacy keys, one address in each of three locations",
          whole(legacy.requests),
          share(legacy),
          `${whole(legacy.answers.rate_limited ?? 0)} refused by the rate limit, which is not billed`,
        ],
        [
          "one hot key",
          whole(hotKey.requests),
          whole(hotKey.asking * hotKey.requests),
          `bill ${times(hotKey.bill.againstBare, 3)} the bare Worker's`,
        ],
        [
          `${whole(revocation.revoked)} keys revoked at once, the most used ones`,
          whole(revocation.requests),
          whole(revocation.asking * revocation.requests),
          `revoked one by one in ${revocation.took.toFixed(0)} s; allowed later than a lease after the acknowledgement: ${revocation.late}`,
        ],
      ],
    ),
  ].join("\n\n");
  const bars = rows.map(({ world, bill }) => ({
    label: label(world).replace(" isolates", "").replace("at home", "home"),
    value: bill.againstBare,
    text: times(bill.againstBare, 3),
    ours: world.shape === "relays",
  }));
  return {
    text,
    plots: {
      "performance-bill.svg": barChart(
        "Bill against the bare Worker's (logarithmic)",
        [...bars, { label: "KV per request", value: kvPerRequest, text: times(kvPerRequest, 2) }],
        { logarithmic: true, from: 0.95 },
      ),
    },
  };
}

function verdict(world: World, slice: Result, bill: Bill, busiest: number): string {
  if (world.shape !== "relays" || world.rate < 100_000) return "";
  const missed = [
    slice.asking > 0.02 ? "requests" : "",
    bill.againstBare > 1.05 ? "bill" : "",
    busiest > 500 ? "busiest" : "",
  ].filter((each) => each !== "");
  return missed.length === 0 ? "met" : `missed: ${missed.join(", ")}`;
}
