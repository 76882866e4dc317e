import { DatabaseSync, type StatementSync } from "node:sqlite";
import { shardName } from "../../src/freshness/world.ts";
import { LedgerCore } from "../../src/ledger/core.ts";
import type { RelayedShard, RelayRequest, SyncReply, SyncRequest } from "../../src/ledger/protocol.ts";
import { Relay } from "../../src/ledger/relay.ts";
import { LedgerShard } from "../../src/ledger/shard.ts";
import type { Clock } from "./clock.ts";
import type { Counts } from "./counts.ts";
import { rowsWritten, usageRows } from "./rows.ts";

/** One way to an object that may be on another continent, and to one in the region, in ms. */
const FAR = 40;
const NEAR = 8;

export interface LedgerOptions {
  shards: number;
  lease: number;
  flush: number;
  counts: () => Counts;
}

/** The real ledger, over SQLite and a simulated network, with everything counted that is billed. */
export class SimulatedLedger {
  readonly #clock: Clock;
  readonly #options: LedgerOptions;
  readonly #shards: LedgerShard[];
  readonly #epochs: string[] = [];
  readonly #relays = new Map<string, Relay>();

  constructor(clock: Clock, options: LedgerOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#shards = Array.from({ length: options.shards }, (_, i) => this.#newShard(shardName(i)));
  }

  sync(shard: number, request: SyncRequest): Promise<SyncReply> {
    return this.#clock.call(FAR, () => {
      this.#options.counts().call(shardName(shard));
      return this.shard(shard).sync(request);
    });
  }

  relay(name: string, request: RelayRequest): Promise<RelayedShard[]> {
    return this.#clock.call(NEAR, () => {
      this.#options.counts().call(name);
      return this.#relay(name).sync(request);
    });
  }

  /** The shard itself, for changes; every call is counted. */
  shard(number: number): LedgerShard {
    return this.#shards[number] as LedgerShard;
  }

  /** The shard's epoch, which never changes here. */
  epoch(shard: number): string {
    this.#epochs[shard] ??= this.shard(shard).sync({ since: null, uses: null }).epoch;
    return this.#epochs[shard];
  }

  async change(shard: number, act: (shard: LedgerShard) => void): Promise<void> {
    await this.#clock.call(FAR, () => {
      this.#options.counts().call(shardName(shard));
      act(this.shard(shard));
    });
  }

  #relay(name: string): Relay {
    let relay = this.#relays.get(name);
    if (relay === undefined) {
      relay = new Relay(
        {
          now: () => this.#clock.now,
          sync: (shard, request) =>
            this.#clock.call(FAR, () => {
              this.#options.counts().call(shardName(shard));
              return this.shard(shard).syncRelay(request);
            }),
        },
        this.#options.lease / 4,
      );
      this.#relays.set(name, relay);
    }
    return relay;
  }

  #newShard(name: string): LedgerShard {
    const database = new DatabaseSync(":memory:");
    const statements = new Map<string, StatementSync>();
    const exec = (sql: string, ...values: (string | number | null)[]) => {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = database.prepare(sql);
        statements.set(sql, statement);
      }
      const counts = this.#options.counts();
      counts.ledgerRowsWritten += rowsWritten(sql);
      return statement.all(...values) as Record<string, unknown>[];
    };
    const core = new LedgerCore(
      {
        exec,
        transaction: (body) => {
          database.exec("SAVEPOINT t");
          const result = body();
          database.exec("RELEASE t");
          return result;
        },
      },
      () => crypto.randomUUID(),
    );
    let alarm = 0;
    const shard: LedgerShard = new LedgerShard(
      core,
      {
        now: () => this.#clock.now,
        db: this.#d1(),
        setAlarm: (at) => {
          alarm = at;
          this.#options.counts().ledgerRowsWritten += 1; // setting an alarm is billed as a row
          this.#clock.after(at - this.#clock.now, () => {
            if (alarm !== at) return;
            this.#options.counts().call(name);
            void shard.alarm();
          });
        },
        report: (error) => {
          throw error;
        },
      },
      { flush: this.#options.flush, retention: 400 * 86_400_000 },
      null,
    );
    return shard;
  }

  /** As much of D1 as a flush needs: counts what it would write. */
  #d1(): D1Database {
    const clock = this.#clock;
    const counts = this.#options.counts;
    const statement = (sql: string, values: unknown[] = []) => ({
      sql,
      values,
      bind: (...bound: unknown[]) => statement(sql, bound),
      run: () => clock.call(FAR, () => ({ results: [] })),
    });
    return {
      prepare: (sql: string) => statement(sql),
      batch: (batch: { sql: string; values: unknown[] }[]) =>
        clock.call(FAR, () => {
          counts().d1Queries += 1;
          for (const { sql, values } of batch) counts().d1RowsWritten += usageRows(sql, String(values[0]));
          return [];
        }),
    } as unknown as D1Database;
  }
}
