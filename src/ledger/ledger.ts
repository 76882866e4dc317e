import { DurableObject } from "cloudflare:workers";
import { type Env, parseConfig } from "../env.ts";
import { LedgerCore } from "./core.ts";
import type { Subject, SyncReply, SyncRequest } from "./protocol.ts";
import { LedgerShard } from "./shard.ts";

const DAY = 86_400_000;

/** One shard of the ledger: the Durable Object around `LedgerShard`. */
export class Ledger extends DurableObject<Env> {
  #shard!: LedgerShard;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const { FLUSH_SECONDS, USAGE_RETENTION_DAYS } = parseConfig(env);
    const { storage } = state;
    const core = new LedgerCore(
      {
        exec: (statement, ...bindings) => storage.sql.exec(statement, ...bindings).toArray(),
        transaction: (body) => storage.transactionSync(body),
      },
      () => crypto.randomUUID(),
    );
    const world = {
      now: () => Date.now(),
      db: env.DB,
      // Not awaited: writes of one turn are stored together, and no reply leaves before they are.
      setAlarm: (at: number) => void storage.setAlarm(at),
      report: (error: unknown) =>
        console.error(JSON.stringify({ message: "ledger alarm failed", error: String(error) })),
    };
    const options = { flush: FLUSH_SECONDS * 1000, retention: USAGE_RETENTION_DAYS * DAY };
    state.blockConcurrencyWhile(async () => {
      this.#shard = new LedgerShard(core, world, options, await storage.getAlarm());
    });
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

  /** When a key was last used, in milliseconds; null when this shard does not remember. */
  async lastUsed(keyId: string): Promise<number | null> {
    return this.#shard.lastUsed(keyId);
  }

  override async alarm(): Promise<void> {
    await this.#shard.alarm();
  }
}
