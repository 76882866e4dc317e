import { DurableObject } from "cloudflare:workers";
import { type Config, type Env, parseConfig } from "../env.ts";
import { abandonChange } from "../store/audit.ts";
import { forgetUsage, writeUses } from "../store/usage.ts";
import { LedgerCore } from "./core.ts";
import type { Subject, SyncReply, SyncRequest } from "./protocol.ts";

/** Rows of each sort in one flush; some 150 bytes each, against D1's 2 MB for one bound value. */
const FLUSH_ROWS = 5000;
/** Longest wait between attempts while D1 refuses, in ms. */
const LONGEST_RETRY = 120_000;
const DAY = 86_400_000;

/**
 * One shard of the ledger: a Durable Object around `LedgerCore`. It adds the alarm, which writes uses to
 * D1 and ends changes whose Worker died. No alarm is set while there is nothing to do.
 */
export class Ledger extends DurableObject<Env> {
  readonly #core: LedgerCore;
  readonly #config: Config;
  /** When the alarm is known to be due; memory only, so that a lost value costs one extra look. */
  #alarmAt: number | null = null;
  #failures = 0;
  #forgotAt = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#config = parseConfig(env);
    const { storage } = state;
    this.#core = new LedgerCore(
      {
        exec: (statement, ...bindings) => storage.sql.exec(statement, ...bindings).toArray(),
        transaction: (body) => storage.transactionSync(body),
      },
      () => crypto.randomUUID(),
    );
  }

  async open(id: string, subjects: Subject[]): Promise<void> {
    this.#core.open(id, subjects, Date.now());
    await this.#arm();
  }

  /** @returns the shard's number after the change */
  async close(id: string): Promise<number> {
    return this.#core.close(id);
  }

  async sync(request: SyncRequest): Promise<SyncReply> {
    const reply = this.#core.sync(request, Date.now());
    if (request.uses !== null) await this.#arm();
    return reply;
  }

  /** When a key was last used, in milliseconds; null when this shard does not remember. */
  async lastUsed(keyId: string): Promise<number | null> {
    return this.#core.lastUsed(keyId);
  }

  async #arm(): Promise<void> {
    const now = Date.now();
    if (this.#alarmAt !== null && this.#alarmAt > now) return;
    const due = now + this.#config.FLUSH_SECONDS * 1000;
    const existing = await this.ctx.storage.getAlarm();
    if (existing === null || existing > due || existing <= now) await this.ctx.storage.setAlarm(due);
    this.#alarmAt = existing !== null && existing > now ? Math.min(existing, due) : due;
  }

  /**
   * Writes uses to D1 and resolves abandoned changes. Never throws, so that the platform's six retries
   * are not used up; re-arms only when something is left, and later each time D1 refuses.
   */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      await this.#flush();
      for (const id of this.#core.abandoned(Date.now())) {
        await abandonChange(this.env.DB, id, Date.now());
        this.#core.close(id);
      }
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      console.error(JSON.stringify({ message: "ledger flush failed", error: String(error) }));
    }
    if (!this.#core.hasWork()) return;
    const wait = this.#config.FLUSH_SECONDS * 1000 * 2 ** Math.min(this.#failures, 6);
    this.#alarmAt = Date.now() + Math.min(wait, Math.max(LONGEST_RETRY, this.#config.FLUSH_SECONDS * 1000));
    await this.ctx.storage.setAlarm(this.#alarmAt);
  }

  async #flush(): Promise<void> {
    for (;;) {
      const flush = this.#core.takeFlush(FLUSH_ROWS);
      if (flush.counts.length === 0 && flush.lastUsed.length === 0) break;
      await writeUses(this.env.DB, flush.counts, flush.lastUsed);
      this.#core.flushed(flush);
      if (flush.counts.length < FLUSH_ROWS && flush.lastUsed.length < FLUSH_ROWS) break;
    }
    const now = Date.now();
    this.#core.prune(now);
    if (now - this.#forgotAt > DAY) {
      await forgetUsage(this.env.DB, now - this.#config.USAGE_RETENTION_DAYS * DAY);
      this.#forgotAt = now;
    }
  }
}
