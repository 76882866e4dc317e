import type { Env } from "../../src/env.ts";
import { applyChange, type ChangeResult, changeWorldOf } from "../../src/freshness/change.ts";
import { type Found, Freshness, type Kind } from "../../src/freshness/freshness.ts";
import { keyKind, NODE_KIND } from "../../src/freshness/kinds.ts";
import type { RelayPlace } from "../../src/freshness/relay-choice.ts";
import { shardName, type World, worldOf } from "../../src/freshness/world.ts";
import type { KeyRecord } from "../../src/keys/record.ts";
import { LedgerCore } from "../../src/ledger/core.ts";
import type {
  RelayRequest,
  RelaySync,
  RelaySyncReply,
  SyncRequest,
  UseBatch,
} from "../../src/ledger/protocol.ts";
import { Relay } from "../../src/ledger/relay.ts";
import { LedgerShard } from "../../src/ledger/shard.ts";
import { putAccount, readAccount } from "../../src/store/accounts.ts";
import { deleteEndpoint, type EndpointRow, putEndpoint, readEndpoint } from "../../src/store/endpoints.ts";
import { insertKey, type KeyRow, readKey, readKeyRecord, updateKey } from "../../src/store/keys.ts";
import { within } from "../../src/store/retry.ts";
import type { Write } from "../../src/store/write.ts";
import { d1Of, direct, type Engine, postern, Sqlite } from "./d1.ts";
import { Owner, Sim } from "./sim.ts";

export const LEASE = 2000;
export const GRACE = 12_000;
/** FLUSH_SECONDS here, in ms. */
export const FLUSH = 10_000;
const HOUR = 3_600_000;

/** A promise of the architecture page was broken. */
export class Broken extends Error {
  override name = "Broken";
}

/** What a change is about. */
export interface Target {
  sort: "key" | "account" | "endpoint";
  which: number;
}

export interface Setting {
  shards: number;
  /** Relays that isolates ask instead of the shards; 0: none. */
  relays: number;
  isolates: number;
  maxFences: number;
  /** Ahead or behind, per isolate, in ms. */
  offsets: number[];
}

/** What was counted, to see that a run of schedules has come by everything it should. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(name: string, n = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + n);
  }
}

/** Four keys of two accounts, the first three in shards of their own where there are that many. */
export const KEYS = [0, 1, 2, 3].map((i) => ({
  id: `key_${i}`,
  account: `acc_${i % 2}`,
  hash: i.toString(16).padStart(8, "0").padEnd(64, "abcdef"[i]),
}));
const NOTHING = { graphql: "none", inference: "none", kubernetes_exec: "none" } as const;
const ACCOUNTS = ["acc_0", "acc_1"];
/** Where endpoints come and go. */
const ENDPOINTS = [
  { id: "epA", path: "/v2/epA" },
  { id: "epB", path: "/v2/epB" },
  { id: "epB", path: "/v2/*" },
  { id: "epC", path: "/x/epC" },
  { id: "epC", path: "/v2/epB" },
];
const NODES = ["/v2", "/v2/epA", "/v2/epB"];
/** How many names can be asked for: keys, then nodes. */
export const NAMES = KEYS.length + NODES.length;

interface Name {
  kind: Kind<unknown>;
  name: string;
}

/** What D1 said of a name, from a step and a time on. */
interface Version {
  text: string;
  step: number;
  at: number;
}

interface Isolate {
  owner: Owner;
  freshness: Freshness;
  id: string;
  /** Its clock, against the true one. */
  offset: number;
  /** How far it has run back, in all, since it started. */
  ranBack: number;
}

interface Change {
  id: string;
  owner: Owner;
  subjects: readonly string[];
  result: ChangeResult | "failed" | null;
}

export class Host {
  readonly storage: Sqlite;
  alarmAt: number | null = null;
  ringing = false;
  owner: Owner;
  shard: LedgerShard | null = null;
  offset = 0;
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
    const { sim, setting } = this.#house;
    this.owner = new Owner(`shard ${this.#number}`);
    const owner = this.owner;
    const sql = {
      exec: (statement: string, ...values: (string | number | null)[]) =>
        this.storage.exec(statement, values),
      transaction: <T>(body: () => T) => this.storage.transaction(body),
    };
    this.shard = new LedgerShard(
      new LedgerCore(sql, () => this.#house.random().toString(36), setting.maxFences),
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
    this.owner.dead = true;
    this.shard = null;
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

  select(sql: string): Record<string, unknown>[] {
    this.running;
    return this.storage.exec(sql);
  }
}

/** A relay: the same Durable Object class in another role, with nothing durable. */
export class RelayHost {
  owner: Owner;
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
    this.#relay = new Relay(
      {
        // A clock that has nothing to do with anybody else's.
        now: () => sim.now - 77_777,
        sync: (shard, request) =>
          within(
            LEDGER.getByName(shardName(shard)).syncRelay(request) as unknown as Promise<RelaySyncReply>,
            1500,
          ),
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

// Opened once: emptying them is much cheaper than opening new ones.
const database = postern();
const replica = postern();
const storages: Sqlite[] = [];

/** A whole Postern, but for the gateway: isolates, ledger, D1 and KV, and what is known of their history. */
export class House {
  readonly sim = new Sim();
  readonly tally: Tally;
  readonly setting: Setting;
  readonly truth = d1Of(database, direct);
  readonly hosts: Host[];
  readonly relays: RelayHost[];
  readonly isolates: Isolate[] = [];
  readonly names: Name[];
  readonly cut = { d1: new Set<string>(), ledger: new Set<string>(), kv: new Set<string>() };
  readonly changes: Change[] = [];
  readonly counters = { d1: 0, kv: 0, ledger: 0 };
  readonly #history = new Map<string, Version[]>();
  readonly #kv = new Map<string, string[]>();
  readonly #lastUsed = new Map<string, number>();
  /** Uses that isolates counted, by isolate; those the ledger was given; those they were told it has. */
  readonly #counted = new Map<string, number>();
  readonly #expected = new Map<string, number>();
  readonly #latest = new Map<string, number>();
  readonly #batches = new Map<string, number>();
  #wiped = false;
  #replicated = 0;
  #isolateCount = 0;
  #seed = 1;
  /** Answers of KV: how many puts back; KV is calm when it says zero. */
  kvLag = 0;
  calm = false;

  constructor(setting: Setting, tally: Tally) {
    this.setting = setting;
    this.tally = tally;
    database.clear();
    this.hosts = Array.from({ length: setting.shards }, (_, i) => new Host(this, i));
    this.relays = Array.from({ length: setting.relays }, (_, i) => new RelayHost(this, i));
    const keys = keyKind(setting.shards);
    this.names = [
      ...KEYS.map(({ hash }) => ({ kind: keys as Kind<unknown>, name: hash })),
      ...NODES.map((name) => ({ kind: NODE_KIND as Kind<unknown>, name })),
    ];
  }

  async furnish(): Promise<void> {
    const db = database;
    for (const id of ACCOUNTS) db.exec("INSERT INTO accounts VALUES (?, 'A', 10, 0, 1, 0, 0)", [id]);
    for (const { id, account, hash } of KEYS.slice(0, 3)) {
      db.exec(
        `INSERT INTO keys (id, account_id, hash, prefix, name, environment, permissions, created_at, created_by)
         VALUES (?, ?, ?, 'p', 'n', 'production', ?, 0, 't')`,
        [id, account, hash, JSON.stringify(NOTHING)],
      );
    }
    db.exec(
      `INSERT INTO endpoints (id, name, api, protocol, path, origin, created_at, updated_at)
       VALUES ('epA', 'n', 'inference', 'serverless', '/v2/epA', 'https://o', 0, 0)`,
    );
    this.#snapshot(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < this.setting.isolates; i += 1) this.isolates.push(this.#newIsolate(i));
    await this.sim.run(this.sim.nobody, () => undefined);
  }

  random(): number {
    this.#seed = (Math.imul(this.#seed, 48_271) + 11) >>> 0;
    return this.#seed / 2 ** 32;
  }

  // ---- the platform ----

  /** What the platform binds for whoever that is. */
  bindings(owner: Owner): Env {
    const via =
      (service: keyof House["cut"]) =>
      <T>(label: string, execute: () => T | Promise<T>): Promise<T> => {
        const isCut = () => {
          const from = this.cut[service];
          return from.size > 0 && (from.has("all") || from.has((owner.parent ?? owner).name));
        };
        return this.sim.call(owner, service, label, isCut, () => {
          this.counters[service] += 1;
          return execute();
        });
      };
    const [ledger, kv, d1] = [via("ledger"), via("kv"), via("d1")];
    const shard = (number: number) => {
      const host = this.hosts[number] as Host;
      return {
        open: (id: string, subjects: string[]) =>
          ledger(`shard ${number} open ${id}`, () => host.running.open(id, subjects)),
        close: (id: string) => ledger(`shard ${number} close ${id}`, () => host.running.close(id)),
        sync: (request: SyncRequest) =>
          ledger(`shard ${number} sync`, () => {
            if (request.uses !== null) this.#noteUses(request.uses, number);
            return host.running.sync(request);
          }),
        syncRelay: (request: RelaySync) =>
          ledger(`shard ${number} sync`, () => {
            for (const batch of request.batches) this.#noteUses(batch, number);
            return host.running.syncRelay(request);
          }),
      };
    };
    const relay = (number: number) => ({
      relay: (request: RelayRequest) =>
        ledger(`relay ${number} sync`, () => {
          this.tally.add("relayed");
          return (this.relays[number] as RelayHost).running.sync(request);
        }),
    });
    const object = (name: string) => {
      const [role, number] = name.split("-");
      return role === "relay" ? relay(Number(number)) : shard(Number(number));
    };
    const replicated: Engine = {
      exec: (sql, values) => {
        this.#replicate();
        return replica.exec(sql, values);
      },
      transaction: (body) => body(),
    };
    return {
      LEDGER: { getByName: object },
      KEYS: {
        get: (name: string) =>
          kv("KV get", () => {
            const versions = this.#kv.get(name) ?? [];
            return versions[versions.length - 1 - this.kvLag] ?? null;
          }),
        put: (name: string, text: string) =>
          kv("KV put", () => {
            this.#kv.set(name, [...(this.#kv.get(name) ?? []), text]);
          }),
      },
      DB: d1Of(
        database,
        (label, execute) =>
          d1(label, () => {
            const result = execute();
            if (label.startsWith("INSERT INTO audit_log")) this.#snapshot(this.sim.now);
            if (label.startsWith("INSERT INTO key_usage")) this.#checkLastUsed();
            return result;
          }),
        replicated,
      ),
    } as unknown as Env;
  }

  /** A replica is some steps behind; nothing but a mutant asks it. */
  #replicate(): void {
    this.#replicated += 1;
    if (!this.calm && this.#replicated % 3 !== 1) return;
    replica.clear();
    for (const table of ["accounts", "keys", "endpoints"]) {
      for (const row of database.exec(`SELECT * FROM ${table}`)) {
        const values = Object.values(row) as (string | number | null)[];
        replica.exec(`INSERT INTO ${table} VALUES (${values.map(() => "?")})`, values);
      }
    }
  }

  /** Puts something into KV that does not belong there. */
  litter(name: number, what: number): void {
    const { kind, name: of } = this.names[name] as Name;
    const others = [...this.#kv.values()].flat();
    const texts = [
      "{",
      "null",
      "[]",
      '{"value":{},"stamp":{}}',
      others[what % Math.max(1, others.length)] ?? "",
    ];
    const cacheName = kind.cacheName(of);
    this.#kv.set(cacheName, [...(this.#kv.get(cacheName) ?? []), texts[what % texts.length] as string]);
  }

  /** What KV holds of a name; null for nothing. */
  inKv(name: number): string | null {
    const { kind, name: of } = this.names[name] as Name;
    return this.#kv.get(kind.cacheName(of))?.at(-1) ?? null;
  }

  putKv(name: number, text: string): void {
    const { kind, name: of } = this.names[name] as Name;
    this.#kv.set(kind.cacheName(of), [text]);
  }

  // ---- isolates and what they are asked ----

  #newIsolate(slot: number): Isolate {
    this.#isolateCount += 1;
    const id = `isolate ${slot}.${this.#isolateCount}`;
    return {
      owner: new Owner(id),
      id,
      offset: this.setting.offsets[slot] ?? 0,
      ranBack: 0,
      freshness: new Freshness({ lease: LEASE, grace: GRACE, isolate: id, maxBytes: 32 * 1024 }),
    };
  }

  #relayOf(slot: number): RelayPlace | null {
    const { relays } = this.setting;
    return relays === 0 ? null : { name: `relay-${slot % relays}`, hint: "weur" };
  }

  killIsolate(slot: number): void {
    const isolate = this.isolates[slot] as Isolate;
    isolate.owner.dead = true;
    this.isolates[slot] = this.#newIsolate(slot);
  }

  /** A new isolate, beside those there are. */
  addIsolate(): number {
    return this.isolates.push(this.#newIsolate(this.isolates.length)) - 1;
  }

  moveClock(slot: number, by: number): void {
    const isolate = this.isolates[slot] as Isolate;
    isolate.offset += by;
    if (by < 0) isolate.ranBack -= by;
  }

  /** One request, from its start to the judgement of what it was told. */
  async request(
    slot: number,
    which: number,
    strict: "no" | "get" | "ask",
    then?: (found: Found<unknown>) => void,
  ): Promise<Owner> {
    const isolate = this.isolates[slot] as Isolate;
    const name = this.names[which] as Name;
    const owner = new Owner(`request ${this.sim.step} in ${isolate.id}`, isolate.owner);
    const { sim } = this;
    const began = { at: sim.now, step: sim.step };
    const clock = () => sim.now + isolate.offset;
    const world: World = {
      ...worldOf(this.bindings(owner), { waitUntil: () => undefined }, this.#relayOf(slot)),
      now: clock,
      random: () => (this.calm ? 0 : this.random()),
      wait: (ms) => new Promise((resolve) => sim.timer(ms, resolve)),
    };
    sim.trace?.push(`${sim.step} ${owner.name}: ${name.name.slice(0, 8)} ${strict}`);
    await sim.run(owner, () => {
      const { freshness } = isolate;
      const { kind } = name;
      const asked =
        strict === "ask" ? freshness.ask([kind.shard(name.name)], world) : Promise.resolve(strict === "get");
      void asked
        .then((strict) => freshness.get(kind, name.name, world, { strict }))
        .then((found) => {
          sim.trace?.push(`${sim.step} ${owner.name}: found ${JSON.stringify(found).slice(0, 200)}`);
          this.#judge(isolate, owner, name, began, strict !== "no", found);
          if (found !== "unavailable" && found.value !== null && kind !== NODE_KIND) {
            const now = clock();
            const { id, hash } = found.value as KeyRecord;
            this.uses.push([id, now]);
            this.#counted.set(isolate.id, (this.#counted.get(isolate.id) ?? 0) + 1);
            freshness.recordUse(
              kind.shard(hash),
              {
                key_id: id,
                endpoint_id: "",
                hour: now - (now % HOUR),
                kind: "read",
                count: 1,
                last_used_at: now,
              },
              world,
            );
          }
          then?.(found);
        })
        .catch((error) => {
          this.failure ??= error;
        });
    });
    return owner;
  }

  failure: unknown = null;

  /** Every use there was: the key's id, and when. */
  readonly uses: [string, number][] = [];

  /** What D1 has of uses. */
  usage(): { key_id: string; kind: string; count: number }[] {
    return database.exec("SELECT key_id, kind, count FROM key_usage") as never;
  }

  lastUsed(): { key_id: string; last_used_at: number }[] {
    return database.exec("SELECT key_id, last_used_at FROM key_last_used ORDER BY key_id") as never;
  }

  // ---- changes ----

  /** A management Worker makes a change. */
  async change(target: Target, what: number): Promise<Owner> {
    const { sim, truth } = this;
    const n = this.changes.length;
    const owner = new Owner(`change ${n}`);
    const now = sim.now;
    const change: Change = { id: `c${n}`, owner, subjects: [], result: null };
    this.changes.push(change);
    await sim.run(owner, async () => {
      const writes = await this.#compose(target, what, n, now, truth);
      if (writes === null) {
        owner.dead = true;
        return;
      }
      change.subjects = writes.flatMap(({ subjects }) => subjects);
      sim.trace?.push(`${sim.step} change ${n}: ${change.subjects}`);
      const world = changeWorldOf(this.bindings(owner), this.setting.shards, { waitUntil: () => undefined });
      const audit = {
        id: change.id,
        at: now,
        account_id: null,
        actor: "model",
        address: null,
        action: "x",
        subject: "x",
        before: null,
        after: await this.#ownRow(target, what, n, truth),
      };
      try {
        change.result = await applyChange(world, audit, writes);
      } catch {
        change.result = "failed";
      }
      this.tally.add(`change ${change.result}`);
      sim.trace?.push(`${sim.step} change ${n}: ${change.result}`);
    });
    return owner;
  }

  async #compose(
    { sort, which }: Target,
    what: number,
    n: number,
    now: number,
    truth: D1Database,
  ): Promise<Write[] | null> {
    if (sort === "account") {
      const row = await readAccount(truth, ACCOUNTS[which] as string);
      return row && [putAccount(row, { ...row, suspended: !row.suspended })];
    }
    if (sort === "endpoint") {
      const place = ENDPOINTS[which] as (typeof ENDPOINTS)[number];
      const row = await readEndpoint(truth, place.id);
      if (row !== null && what < 3) return [deleteEndpoint(row, now)];
      return [putEndpoint(row, { ...(row ?? endpoint(now)), ...place, name: `n${n}` })];
    }
    const { id, account, hash } = KEYS[which] as (typeof KEYS)[number];
    const row = await readKey(truth, id);
    if (row === null) return [insertKey(keyRow(id, account, hash, now), now)];
    if (what === 0) return [updateKey(row, { revoked_at: now, name: `n${n}` }, now)];
    if (what === 1) {
      // Rotation: one change, two keys, mostly of two shards.
      const next = KEYS[3] as (typeof KEYS)[number];
      const fresh = keyRow(next.id, next.account, next.hash, now);
      return [updateKey(row, { rotated_to: next.id, name: `n${n}` }, now), insertKey(fresh, now)];
    }
    const toggled = what < 4 ? !row.enabled : row.enabled;
    return [updateKey(row, { enabled: toggled, name: `n${n}` }, now, { needsRoom: what === 2 })];
  }

  /** A changed key as its change computes it. Nobody may put that into KV; a mutant does. */
  async #ownRow({ sort, which }: Target, what: number, n: number, truth: D1Database): Promise<unknown> {
    if (sort !== "key" || what < 2) return null;
    const { hash } = KEYS[which] as (typeof KEYS)[number];
    const record = await readKeyRecord(truth, hash);
    if (record === null) return null;
    const enabled = what < 4 ? !record.enabled : record.enabled;
    const { kind } = this.names[0] as Name;
    return {
      name: kind.cacheName(hash),
      shard: kind.shard(hash),
      value: { ...record, enabled, name: `n${n}` },
    };
  }

  // ---- what was true when, and what may be said of it ----

  /** Notes what D1 says of every name from now on. */
  #snapshot(at: number): void {
    const { step } = this.sim;
    for (const { kind, name } of this.names) {
      const cacheName = kind.cacheName(name);
      const versions = this.#history.get(cacheName) ?? [];
      this.#history.set(cacheName, versions);
      const version: Version = { text: "", step, at };
      versions.push(version);
      // The database is looked at in this very moment; the promise only hands over what was seen.
      void kind.read(this.truth, name).then((value) => {
        version.text = JSON.stringify(value);
      });
    }
  }

  #judge(
    isolate: Isolate,
    owner: Owner,
    { kind, name }: Name,
    began: { at: number; step: number },
    strict: boolean,
    found: Found<unknown>,
  ): void {
    const { sim, tally } = this;
    if (found === "unavailable") {
      tally.add("unavailable");
      if (!owner.trouble.d1) throw new Broken(`${owner.name}: unavailable although D1 answered`);
      return;
    }
    const { value, tier } = found;
    tally.add(strict ? `strict ${tier}` : tier);
    if (tier === "grace") {
      if (strict) throw new Broken(`${owner.name}: strict, yet served under grace`);
      // Where the clock ran back meanwhile, an answer may be of no use: what it continues is gone.
      if (!owner.trouble.d1 || (!owner.trouble.ledger && isolate.ranBack === 0))
        throw new Broken(`${owner.name}: grace although D1 or the ledger answered`);
    }
    // The earliest state it may have been told: that of the last commit it must not miss.
    const versions = this.#history.get(kind.cacheName(name)) as Version[];
    const missing = ({ at, step }: Version) => {
      if (strict) return step <= began.step;
      const [until, bound] = tier === "grace" ? [sim.now, GRACE] : [began.at, LEASE];
      return until - at > bound + isolate.ranBack;
    };
    const earliest = versions.findLastIndex(missing);
    const text = JSON.stringify(value);
    if (!versions.slice(Math.max(0, earliest)).some((version) => version.text === text)) {
      const late = began.at - (versions[earliest]?.at ?? 0);
      throw new Broken(
        `${owner.name}: ${kind.cacheName(name)} decided on a state that ended ${late} ms before it began (${tier}${strict ? ", strict" : ""})`,
      );
    }
  }

  // ---- uses ----

  #noteUses(batch: UseBatch, shard: number): void {
    const source = `${batch.isolate}/${shard}`;
    if (batch.number <= (this.#batches.get(source) ?? 0)) {
      this.tally.add("batches repeated");
      return;
    }
    this.#batches.set(source, batch.number);
    const now = this.sim.now + (this.hosts[shard] as Host).offset;
    for (const use of batch.uses) {
      // What is older than the ledger still holds counts for the oldest hour that it does.
      const hour = Math.max(Math.min(use.hour, now), now - 2 * HOUR);
      const row = `${use.key_id} ${hour - (hour % HOUR)} ${use.kind}`;
      this.#expected.set(row, (this.#expected.get(row) ?? 0) + use.count);
      this.#counted.set(batch.isolate, (this.#counted.get(batch.isolate) ?? 0) - use.count);
      const at = Math.min(use.last_used_at ?? 0, now);
      this.#latest.set(use.key_id, Math.max(at, this.#latest.get(use.key_id) ?? 0));
    }
  }

  #checkLastUsed(): void {
    for (const { key_id, last_used_at } of database.exec("SELECT * FROM key_last_used")) {
      const before = this.#lastUsed.get(key_id as string) ?? 0;
      if ((last_used_at as number) < before) this.failure ??= new Broken("last used moved back");
      this.#lastUsed.set(key_id as string, last_used_at as number);
    }
  }

  checkUses(): void {
    if (this.#wiped) return;
    const stored = new Map(
      database
        .exec("SELECT * FROM key_usage")
        .map((row) => [`${row.key_id} ${row.hour} ${row.kind}`, row.count as number]),
    );
    compare("uses", stored, this.#expected);
    compare("last used", this.#lastUsed, this.#latest);
    for (const { id } of this.isolates) {
      const left = this.#counted.get(id) ?? 0;
      if (left !== 0) throw new Broken(`${id}: ${left} uses never handed over`);
    }
  }

  // ---- faults ----

  /** A shard that is created anew, with everything it knew gone; only while nothing is under way. */
  wipe(number: number): void {
    const idle =
      this.changes.every(
        ({ owner, result }) => owner.dead || (result !== null && result !== "unavailable"),
      ) && this.hosts.every((host) => host.select("SELECT 1 FROM open").length === 0);
    if (!idle) return;
    this.#wiped = true;
    this.tally.add("shards created anew");
    (this.hosts[number] as Host).wipe();
  }

  /** Whether nothing is left to do for the ledger. */
  isSettled(): boolean {
    return this.hosts.every((host) => !host.running.hasWork());
  }

  /** A shard keeps no more fences than it may. */
  checkFences(): void {
    for (const host of this.hosts) {
      const kept = host.select("SELECT subject FROM fences").length;
      if (kept > this.setting.maxFences) throw new Broken(`a shard keeps ${kept} fences`);
    }
  }

  /** What a change was answered must be what became of it. */
  checkResults(): void {
    for (const { id, result } of this.changes) {
      const [row] = database.exec("SELECT outcome FROM audit_log WHERE id = ?", [id]);
      if (result === "committed" && row?.outcome !== "committed") throw new Broken(`${id} was lost`);
      if ((result === "refused" || result === "failed") && row?.outcome === "committed")
        throw new Broken(`${id} was ${result}, and committed later`);
    }
  }
}

function compare(what: string, found: Map<string, number>, expected: Map<string, number>): void {
  const text = (map: Map<string, number>) => JSON.stringify([...map].sort());
  if (text(found) !== text(expected)) {
    throw new Broken(`${what}: D1 has ${text(found)}, should have ${text(expected)}`);
  }
}

const keyRow = (id: string, account_id: string, hash: string, now: number): KeyRow => ({
  id,
  account_id,
  hash,
  prefix: "p",
  name: "n",
  environment: "production",
  permissions: NOTHING,
  scopes: null,
  template: null,
  enabled: true,
  legacy: false,
  created_at: now,
  created_by: "t",
  expires_at: null,
  revoked_at: null,
  rotated_from: null,
  rotated_to: null,
  version: 1,
});

const endpoint = (now: number): EndpointRow => ({
  id: "",
  account_id: null,
  name: "",
  api: "inference",
  protocol: "serverless",
  path: "",
  origin: "https://o",
  test_origin: null,
  operations: null,
  credential: null,
  assertion: false,
  allow_query_key: false,
  redirects: "refuse",
  timeout_seconds: 120,
  freshness: "bounded",
  cors: null,
  version: 1,
  created_at: now,
  updated_at: now,
});
