import { shardName } from "../../src/freshness/world.ts";
import { LedgerCore } from "../../src/ledger/core.ts";
import type { RelaySync, RelaySyncReply, UseBatch } from "../../src/ledger/protocol.ts";
import { Relay } from "../../src/ledger/relay.ts";
import { LedgerShard } from "../../src/ledger/shard.ts";
import { within } from "../../src/store/retry.ts";
import { Sqlite } from "./d1.ts";
import type { House } from "./house.ts";
import { Broken, hold } from "./promise.ts";
import { FLUSH, HOUR, LEASE } from "./setting.ts";
import { Owner } from "./sim.ts";

// Opened once: emptying them is much cheaper than opening new ones.
const storages: Sqlite[] = [];

/** A ledger shard's Durable Object. */
export class Host {
  readonly storage: Sqlite;
  alarmAt: number | null = null;
  ringing = false;
  owner: Owner;
  shard: LedgerShard | null = null;
  offset = 0;
  #core: LedgerCore | null = null;
  #alarm: object | null = null;
  /** Whether the next alarm came due while one was running. */
  #again = false;
  readonly #house: House;
  readonly #number: number;

  constructor(house: House, number: number) {
    this.#house = house;
    this.#number = number;
    storages[number] ??= new Sqlite();
    this.storage = storages[number];
    this.storage.clear();
    this.owner = new Owner(`shard ${number}`);
  }

  /** The object, started if it is not running. */
  get running(): LedgerShard {
    if (this.shard !== null) return this.shard;
    const { sim } = this.#house;
    this.owner = new Owner(`shard ${this.#number}`);
    const owner = this.owner;
    this.#core = this.#newCore();
    this.shard = new LedgerShard(
      this.#core,
      {
        now: () => sim.now + this.offset,
        db: this.#house.bindings(owner).DB,
        setAlarm: (at) => {
          // Never a hot loop: whatever the alarm is for, it waits for one flush.
          if (at >= sim.now + this.offset + FLUSH) this.setAlarm(at);
          else this.#house.failure ??= new Broken(`shard ${this.#number} set an alarm for at once`);
        },
        report: () => this.#house.tally.add("alarm failed"),
      },
      { flush: FLUSH, retention: 400 * 24 * HOUR },
      this.alarmAt,
    );
    return this.shard;
  }

  #newCore(): LedgerCore {
    return new LedgerCore(
      {
        exec: (statement, ...values) => {
          if (statement === "DELETE FROM use_log") this.#checkFolding();
          const rows = this.storage.exec(statement, values);
          if (statement.startsWith("SELECT subject, seq") && rows.length === 0 && (values[0] as number) > 0)
            this.#house.failure ??= new Broken("fences are read although there are no new ones");
          return rows;
        },
        transaction: (body) => this.storage.transaction(body),
      },
      () => this.#house.random().toString(36),
      this.#house.setting.bounds,
    );
  }

  setAlarm(at: number): void {
    const { sim } = this.#house;
    if (this.#alarm !== null) sim.cancel(this.#alarm);
    this.alarmAt = at;
    this.#house.tally.add("alarms set");
    this.#alarm = sim.timer(
      at - this.offset - sim.now,
      () => sim.post(this.owner, "alarm due", () => this.#ring(at)),
      sim.nobody,
    );
  }

  #ring(at: number): void {
    if (this.alarmAt !== at) return;
    if (this.ringing) {
      this.#again = true;
      return;
    }
    const shard = this.running;
    const { owner } = this;
    this.#house.sim.current = owner;
    this.alarmAt = null;
    this.ringing = true;
    this.#house.tally.add("alarms");
    void shard.alarm().then(() => {
      this.ringing = false;
      if (this.#again) this.setAlarm(this.#house.sim.now + this.offset);
      this.#again = false;
    });
  }

  /** The object loses its memory; an alarm that was running is run again. */
  stop(): void {
    this.check();
    this.owner.dead = true;
    this.shard = null;
    this.#core = null;
    if (this.ringing && (this.alarmAt === null || this.#again))
      this.setAlarm(this.#house.sim.now + this.offset);
    this.ringing = false;
    this.#again = false;
  }

  /** The platform gives the alarm up, as it does after six failed runs. */
  loseAlarm(): void {
    if (this.#alarm !== null) this.#house.sim.cancel(this.#alarm);
    this.#alarm = null;
  }

  /** The object and what it stored are gone. */
  wipe(): void {
    this.stop();
    if (this.#alarm !== null) this.#house.sim.cancel(this.#alarm);
    this.alarmAt = null;
    this.storage.clear();
  }

  /**
   * Whoever starts now finds in storage what memory has, and storage has no more than it may.
   * @throws Broken
   */
  check(): void {
    const core = this.#core;
    if (core === null) return;
    const { fences, log, page } = this.#house.setting.bounds;
    const said = core.sync({ since: null, uses: null }, 0);
    hold(said.fences.length <= fences, `a shard keeps ${said.fences.length} fences`);
    hold(
      said.fences.every(([, at]) => at > said.floor && at <= said.seq),
      "a shard keeps a fence that its floor speaks for",
    );

    const again = this.#newCore();
    const found = JSON.stringify(again.sync({ since: null, uses: null }, 0));
    hold(found === JSON.stringify(said), "a start finds other fences than there were");
    const rows = ({ uses }: LedgerCore) => {
      const { counts, lastUsed } = uses.take(Number.POSITIVE_INFINITY);
      return [...counts, ...lastUsed].map((row) => JSON.stringify(row));
    };
    const kept = new Set(rows(again));
    hold(
      rows(core).every((row) => kept.has(row)),
      "a start finds other uses than there were",
    );
    for (const isolate of this.#house.isolateIds) {
      const latest = ({ uses }: LedgerCore) => uses.store([{ isolate, number: 0, uses: [] }], 0)[0]?.[1] ?? 0;
      hold(latest(again) >= latest(core), "a start does not know a batch that is stored");
    }

    hold(
      this.#size("use_log") <= Math.max(log, 2 * this.#size("use_pages")),
      "the log of uses grows without end",
    );
    const pages = this.#bodies("use_pages").map((body) =>
      Object.entries(JSON.parse(body) as Record<string, unknown[][]>),
    );
    const entries = pages
      .flat()
      .flatMap(([sort, list]) => list.map(([of]) => `${sort} ${JSON.stringify(of)}`));
    hold(new Set(entries).size === entries.length, "two pages say the same");
    hold(
      pages.flat().every(([, { length }]) => length <= page),
      "a page holds more than it may",
    );
  }

  #bodies(table: string): string[] {
    return this.storage.exec(`SELECT body FROM ${table}`).map(({ body }) => `${body}`);
  }

  #size(table: string): number {
    return this.#bodies(table).reduce((sum, { length }) => sum + length, 0);
  }

  /** Pages are written anew seldom enough: the log has grown past them. */
  #checkFolding(): void {
    const { log } = this.#house.setting.bounds;
    if (this.#size("use_log") <= Math.max(log, 2 * this.#size("use_pages")))
      this.#house.failure ??= new Broken("a log that is short is folded");
  }

  /** What happens by a message that brings nothing new: nothing is stored. */
  idly<T>(isIdle: boolean, happen: () => T): T {
    if (!isIdle) return happen();
    const { shard } = this;
    const look = () => `${this.storage.changes} ${this.alarmAt}`;
    const before = look();
    const result = happen();
    // A start may set an alarm.
    if (shard !== null && look() !== before)
      this.#house.failure ??= new Broken("something is stored although there is nothing new");
    return result;
  }

  select(sql: string): Record<string, unknown>[] {
    this.running;
    return this.storage.exec(sql);
  }
}

/** What a relay may ask, by what it was told: nothing that it knows, and nothing twice. */
class RelayWatch {
  /** When the question was sent that is under way, by shard. */
  readonly #asking = new Map<number, number>();
  /** When the latest question was sent that was answered, by shard. */
  readonly #answered = new Map<number, number>();
  /** When uses were last passed on, by shard. */
  readonly #passedOn = new Map<number, number>();
  /** Latest batch that is stored, by shard and isolate. */
  readonly #stored = new Map<string, number>();

  asks(shard: number, { since, batches }: RelaySync, now: number): void {
    hold(since !== null || !this.#answered.has(shard), "a relay asks for all it knows");
    hold(!this.#asking.has(shard), "a relay asks a shard twice at a time");
    this.#asking.set(shard, now);
    const known = this.#answered.get(shard);
    hold(
      known === undefined || now < known || now - known > LEASE / 4,
      "a relay asks although its copy is young",
    );
    this.#checkLoad(shard, batches, now);
    for (const { isolate, number } of batches)
      hold(number > (this.#stored.get(`${shard} ${isolate}`) ?? 0), "a relay passes on what the shard has");
  }

  #checkLoad(shard: number, batches: readonly UseBatch[], now: number): void {
    const uses = batches.reduce((sum, { uses }) => sum + uses.length, 0);
    hold(uses <= 5000 || batches.length === 1, `a relay passes on ${uses} uses at once`);
    if (uses === 0) return;
    const before = this.#passedOn.get(shard);
    this.#passedOn.set(shard, now);
    hold(uses > 4000 || before === undefined || now - before >= 2000, "a relay's uses do not wait for more");
  }

  answered(shard: number, reply: RelaySyncReply): RelaySyncReply {
    this.#answered.set(shard, this.#asking.get(shard) as number);
    for (const [isolate, number] of reply.acknowledged) this.#stored.set(`${shard} ${isolate}`, number);
    return reply;
  }

  done(shard: number): void {
    this.#asking.delete(shard);
  }
}

/** A relay: the same Durable Object class in another role, with nothing durable. */
export class RelayHost {
  owner: Owner;
  /** How far its clock was moved. */
  offset = 0;
  #relay: Relay | null = null;
  readonly #house: House;
  readonly #number: number;

  constructor(house: House, number: number) {
    this.#house = house;
    this.#number = number;
    this.owner = new Owner(`relay ${number}`);
  }

  /** The object, started if it is not running. */
  get running(): Relay {
    if (this.#relay !== null) return this.#relay;
    this.owner = new Owner(`relay ${this.#number}`);
    const { owner } = this;
    const { sim } = this.#house;
    const { LEDGER } = this.#house.bindings(owner);
    // A clock that has nothing to do with anybody else's.
    const now = () => sim.now - 77_777 + this.offset;
    const watch = new RelayWatch();
    this.#relay = new Relay(
      {
        now,
        sync: async (shard, request) => {
          try {
            watch.asks(shard, request, now());
            const answer = LEDGER.getByName(shardName(shard)).syncRelay(request);
            return watch.answered(shard, await within(answer as unknown as Promise<RelaySyncReply>, 1500));
          } catch (error) {
            if (error instanceof Broken) this.#house.failure ??= error;
            throw error;
          } finally {
            watch.done(shard);
          }
        },
      },
      LEASE / 4,
    );
    return this.#relay;
  }

  /** The object loses its memory. */
  stop(): void {
    this.owner.dead = true;
    this.#relay = null;
  }
}
