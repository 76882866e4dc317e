import { DurableObject } from "cloudflare:workers";
import { type Env, parseConfig } from "../env.ts";
import { shardName } from "../freshness/world.ts";
import { within } from "../store/retry.ts";
import { LedgerCore } from "./core.ts";
import type {
  RelayedShard,
  RelayRequest,
  RelaySync,
  RelaySyncReply,
  Subject,
  SyncReply,
  SyncRequest,
} from "./protocol.ts";
import { Relay } from "./relay.ts";
import { LedgerShard } from "./shard.ts";

const DAY = 86_400_000;

/** A relay's copy serves for this part of a lease. */
const COPY_SHARE = 1 / 4;

/** Longest wait of a relay for a shard, in ms. */
const PATIENCE = 1500;

/**
 * The Durable Object around `LedgerShard`, or, under another name, around `Relay`: which one it is shows
 * in what it is asked.
 */
export class Ledger extends DurableObject<Env> {
  #alarmAt: number | null = null;
  #built: LedgerShard | undefined;
  #relay: Relay | undefined;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    state.blockConcurrencyWhile(async () => {
      this.#alarmAt = await state.storage.getAlarm();
    });
  }

  get #shard(): LedgerShard {
    if (this.#built !== undefined) return this.#built;
    const { FLUSH_SECONDS, USAGE_RETENTION_DAYS } = parseConfig(this.env);
    const { storage } = this.ctx;
    const core = new LedgerCore(
      {
        exec: (statement, ...bindings) => storage.sql.exec(statement, ...bindings).toArray(),
        transaction: (body) => storage.transactionSync(body),
      },
      () => crypto.randomUUID(),
    );
    const world = {
      now: () => Date.now(),
      db: this.env.DB,
      // Not awaited: writes of one turn are stored together, and no reply leaves before they are.
      setAlarm: (at: number) => void storage.setAlarm(at),
      report: (error: unknown) =>
        console.error(JSON.stringify({ message: "ledger alarm failed", error: String(error) })),
    };
    const options = { flush: FLUSH_SECONDS * 1000, retention: USAGE_RETENTION_DAYS * DAY };
    this.#built = new LedgerShard(core, world, options, this.#alarmAt);
    return this.#built;
  }

  async open(id: string, subjects: Subject[]): Promise<void> {
    this.#shard.open(id, subjects);
  }

  /** @returns the shard's number after the change */
  async close(id: string): Promise<number> {
    return this.#shard.close(id);
  }

  async sync(request: SyncRequest): Promise<SyncReply> {
    return this.#shard.sync(request);
  }

  async syncRelay(request: RelaySync): Promise<RelaySyncReply> {
    return this.#shard.syncRelay(request);
  }

  /** A relay's answer to an isolate of its region. */
  async relay(request: RelayRequest): Promise<RelayedShard[]> {
    this.#relay ??= new Relay(
      {
        now: () => Date.now(),
        sync: (shard, sync) => {
          const answer = this.env.LEDGER.getByName(shardName(shard)).syncRelay(sync);
          return within(answer as unknown as Promise<RelaySyncReply>, PATIENCE);
        },
      },
      parseConfig(this.env).LEASE_SECONDS * 1000 * COPY_SHARE,
    );
    return this.#relay.sync(request);
  }

  /** When a key was last used, in milliseconds; null when this shard does not remember. */
  async lastUsed(keyId: string): Promise<number | null> {
    return this.#shard.lastUsed(keyId);
  }

  override async alarm(): Promise<void> {
    await this.#shard.alarm();
  }
}
