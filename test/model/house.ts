import type { Env } from "../../src/env.ts";
import {
  applyChange,
  type ChangeResult,
  type ChangeWorld,
  changeWorldOf,
} from "../../src/freshness/change.ts";
import { type Found, Freshness, type Kind } from "../../src/freshness/freshness.ts";
import { keyKind, NODE_KIND } from "../../src/freshness/kinds.ts";
import { Patience } from "../../src/freshness/patience.ts";
import type { RelayPlace } from "../../src/freshness/relay-choice.ts";
import { ENDPOINT_SHARD } from "../../src/freshness/shards.ts";
import { type World, worldOf } from "../../src/freshness/world.ts";
import type { KeyRecord } from "../../src/keys/record.ts";
import type { RelayRequest, RelaySync, SyncRequest, UseBatch } from "../../src/ledger/protocol.ts";
import { putAccount, readAccount } from "../../src/store/accounts.ts";
import { deleteEndpoint, type EndpointRow, putEndpoint, readEndpoint } from "../../src/store/endpoints.ts";
import { insertKey, type KeyRow, readKey, readKeyRecord, updateKey } from "../../src/store/keys.ts";
import { Stalled } from "../../src/store/retry.ts";
import type { Write } from "../../src/store/write.ts";
import { d1Of, direct, type Engine, postern } from "./d1.ts";
import { Host, RelayHost } from "./hosts.ts";
import { Broken, hold } from "./promise.ts";
import { GRACE, HOUR, LEASE, type Setting } from "./setting.ts";
import { FAILURE, Owner, Sim } from "./sim.ts";
import { Watch } from "./watch.ts";

/** What a change is about. */
export interface Target {
  sort: "key" | "account" | "endpoint";
  which: number;
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
export const NODES = ["/v2", "/v2/epA", "/v2/epB"];
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
  patience: Patience;
  id: string;
  /** Its clock, against the true one. */
  offset: number;
  /** How far it has run back, in all, since it started. */
  ranBack: number;
  watch: Watch;
}

interface Change {
  id: string;
  owner: Owner;
  subjects: readonly string[];
  result: ChangeResult | "failed" | null;
  /** Shards that were asked to open it, and to close it. */
  opened: Set<number>;
  closed: Set<number>;
  /** Whether its batch was sent to D1. */
  sent: boolean;
  /** How many calls that close it are waited for. */
  closing: number;
}

// Opened once: emptying them is much cheaper than opening new ones.
const database = postern();
const replica = postern();

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
  readonly isolateIds: string[] = [];
  readonly counters = { d1: 0, kv: 0, ledger: 0, repeated: 0 };
  readonly #history = new Map<string, Version[]>();
  readonly #kv = new Map<string, string[]>();
  readonly #lastUsed = new Map<string, number>();
  /** Uses that isolates counted, by isolate; those the ledger was given; those they were told it has. */
  readonly #counted = new Map<string, number>();
  readonly #expected = new Map<string, number>();
  readonly #latest = new Map<string, number>();
  readonly #batches = new Map<string, number>();
  /** How many different uses the ledger was handed, those of repeated batches not counted. */
  handedOver = 0;
  #wiped = false;
  #replicated = 0;
  #isolateCount = 0;
  #seed = 1;
  /** Answers of KV: how many puts back; KV is calm when it says zero. */
  kvLag = 0;
  calm = false;
  /** What the location's cache holds. */
  readonly #near = new Map<string, string[]>();
  isNearAway = false;
  /** What chance says, where a story asks for it. */
  luck: number | null = null;
  /** Requests that have not been answered. */
  readonly #unanswered = new Set<Owner>();

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
        for (const name of [service, label]) owner.calls[name] = (owner.calls[name] ?? 0) + 1;
        return this.sim.call(owner, service, label, isCut, () => {
          this.counters[service] += 1;
          return execute();
        });
      };
    const [ledger, kv, d1] = [via("ledger"), via("kv"), via("d1")];
    const shard = (number: number) => {
      const host = this.hosts[number] as Host;
      return {
        open: (id: string, subjects: string[]) => {
          this.#changeOf(owner)?.opened.add(number);
          return ledger(`shard ${number} open ${id}`, () => host.running.open(id, subjects));
        },
        close: (id: string) => {
          this.#changeOf(owner)?.closed.add(number);
          return ledger(`shard ${number} close ${id}`, () => {
            const isOpen = host.select(`SELECT 1 FROM open WHERE id = '${id}'`).length > 0;
            return host.idly(!isOpen, () => host.running.close(id));
          });
        },
        sync: (request: SyncRequest) =>
          ledger(`shard ${number} sync`, () => {
            if (request.uses !== null) this.#noteUses(request.uses, number);
            return host.idly(request.uses === null, () => host.running.sync(request));
          }),
        syncRelay: (request: RelaySync) =>
          ledger(`shard ${number} sync`, () => {
            for (const batch of request.batches) this.#noteUses(batch, number);
            return host.idly(request.batches.length === 0, () => host.running.syncRelay(request));
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
            if (/"self":null,"wildcard":null,"below":false,"taken":false/.test(text))
              this.failure ??= new Broken("KV is paid for a node without endpoints");
            this.#kv.set(name, [...(this.#kv.get(name) ?? []), text]);
          }),
      },
      DB: d1Of(
        database,
        (label, execute) => {
          const isChange = label.startsWith("INSERT INTO audit_log");
          const change = isChange ? this.#changeOf(owner) : undefined;
          if (change !== undefined) change.sent = true;
          return d1(label, () => {
            const written = database.changes;
            const result = isChange ? this.#onlyWithItsAuditRow(execute) : execute();
            if (isChange) this.#snapshot(this.sim.now);
            if (label.startsWith("INSERT INTO key_usage")) this.#checkLastUsed(written);
            return result;
          });
        },
        replicated,
      ),
    } as unknown as Env;
  }

  /** The location's cache drops everything. */
  forgetNear(): void {
    this.#near.clear();
  }

  /** Cloudflare's cache in the one location there is; whoever runs asks it. */
  get caches(): unknown {
    const call = <T>(what: string, execute: () => T) => {
      const owner = this.sim.current;
      const label = `near ${what}`;
      owner.calls[label] = (owner.calls[label] ?? 0) + 1;
      return this.sim.call(owner, "kv", label, () => this.isNearAway || this.cut.kv.has("all"), execute);
    };
    const cache = {
      match: (url: string) =>
        call("match", () => {
          const texts = this.#near.get(url) ?? [];
          const text = texts[texts.length - 1 - this.kvLag];
          return text === undefined ? undefined : new Response(text);
        }),
      put: async (url: string, entry: Response) => {
        const text = await entry.text();
        await call("put", () => this.#near.set(url, [...(this.#near.get(url) ?? []), text]));
      },
    };
    return { open: () => Promise.resolve(cache) };
  }

  #changeOf(owner: Owner): Change | undefined {
    return this.changes.find((change) => change.owner === owner);
  }

  /** A change's batch: what writes nothing to the audit log writes nothing at all. */
  #onlyWithItsAuditRow<T>(execute: () => T): T {
    const audits = () => database.exec("SELECT count(*) AS n FROM audit_log")[0]?.n as number;
    const before = [audits(), database.changes];
    const result = execute();
    if (audits() === before[0] && database.changes !== before[1])
      this.failure ??= new Broken("a change was written without its audit row");
    return result;
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
    this.isolateIds.push(id);
    const isolate: Isolate = {
      owner: new Owner(id),
      id,
      offset: this.setting.offsets[slot] ?? 0,
      ranBack: 0,
      watch: new Watch(this.setting, (promise) => {
        this.failure ??= new Broken(promise);
      }),
      freshness: new Freshness({ lease: LEASE, grace: GRACE, isolate: id, maxBytes: this.setting.memory }),
      patience: new Patience(() => this.sim.now + isolate.offset),
    };
    return isolate;
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
    const { watch } = isolate;
    const isCertain = strict === "no" && isolate.ranBack === 0 && !this.#wiped;
    const age = isCertain ? watch.age(name.kind.shard(name.name), clock()) : null;
    const background = { waitUntil: () => undefined };
    const platform = worldOf(
      this.bindings(owner),
      background,
      isolate.patience,
      this.#relayOf(slot),
      this.setting.coloCache,
    );
    const world: World = {
      ...watch.world(platform, clock, () => isolate.ranBack === 0),
      now: clock,
      random: () => this.luck ?? (this.calm ? 0 : this.random()),
      wait: (ms) => new Promise((resolve) => sim.timer(ms, resolve)),
    };
    sim.trace?.push(`${sim.step} ${owner.name}: ${name.name.slice(0, 8)} ${strict}`);
    this.#unanswered.add(owner);
    await sim.run(owner, () => {
      const { freshness } = isolate;
      const kind = watch.kind(name.kind);
      const asked =
        strict === "ask"
          ? freshness.ask([kind.shard(name.name), ENDPOINT_SHARD], world)
          : Promise.resolve(strict === "get");
      void asked
        .then((strict) => freshness.get(kind, name.name, world, { strict }))
        .then((found) => {
          sim.trace?.push(`${sim.step} ${owner.name}: found ${JSON.stringify(found).slice(0, 200)}`);
          this.#unanswered.delete(owner);
          this.#judge(isolate, owner, name, began, strict !== "no", found);
          watch.judgeAsking(owner, age, sim.step === began.step + 1);
          watch.judgeMemory(freshness, name.kind, name.name, found);
          if (found !== "unavailable" && found.value !== null && name.kind !== NODE_KIND) {
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
          const isAway = error instanceof Stalled || String(error).includes(FAILURE);
          this.failure ??= isAway ? new Broken(`${owner.name} fails with what is away`) : error;
        });
    });
    return owner;
  }

  failure: unknown = null;

  /** Every use there was: the key's id, and when. */
  readonly uses: [string, number][] = [];

  /** What D1 has of uses. */
  usage(): { key_id: string; hour: number; kind: string; count: number }[] {
    return database.exec("SELECT key_id, hour, kind, count FROM key_usage") as never;
  }

  /** Puts something into D1 by hand. */
  insert(sql: string): void {
    database.exec(sql);
  }

  lastUsed(): { key_id: string; last_used_at: number }[] {
    return database.exec("SELECT key_id, last_used_at FROM key_last_used ORDER BY key_id") as never;
  }

  // ---- changes ----

  /** A management Worker makes a change. */
  change(target: Target, what: number): Promise<Owner> {
    const n = this.changes.length;
    return this.make(
      (now) => this.#compose(target, what, n, now, this.truth),
      () => this.#ownRow(target, what, n, this.truth),
    );
  }

  /**
   * A management Worker makes a change.
   * @param compose what it writes, from what it reads; null when there is nothing to change
   * @param ownRow a changed key as its change computes it
   */
  async make(
    compose: (now: number) => Promise<Write[] | null>,
    ownRow: () => Promise<unknown> = () => Promise.resolve(null),
  ): Promise<Owner> {
    const { sim } = this;
    const n = this.changes.length;
    const owner = new Owner(`change ${n}`);
    const now = sim.now;
    const change: Change = {
      ...{ id: `c${n}`, owner, subjects: [], result: null },
      ...{ opened: new Set(), closed: new Set(), sent: false, closing: 0 },
    };
    this.changes.push(change);
    await sim.run(owner, async () => {
      const writes = await compose(now);
      if (writes === null) {
        owner.dead = true;
        return;
      }
      change.subjects = writes.flatMap(({ subjects }) => subjects);
      sim.trace?.push(`${sim.step} change ${n}: ${change.subjects}`);
      const platform = changeWorldOf(this.bindings(owner), this.setting.shards, {
        waitUntil: () => undefined,
      });
      const world: ChangeWorld = {
        ...platform,
        open: (shard, id, subjects) => {
          if (new Set(subjects).size < subjects.length)
            this.failure ??= new Broken(`${id} opens a subject twice`);
          return platform.open(shard, id, subjects);
        },
        close: (shard, id) => {
          change.closing += 1;
          return platform.close(shard, id).finally(() => {
            change.closing -= 1;
          });
        },
      };
      const audit = {
        id: change.id,
        at: now,
        account_id: null,
        actor: "model",
        address: null,
        action: "x",
        subject: "x",
        before: null,
        after: await ownRow(),
      };
      try {
        change.result = await applyChange(world, audit, writes);
      } catch {
        change.result = "failed";
      }
      this.tally.add(`change ${change.result}`);
      if (change.closing > 0 && change.result === "committed")
        this.failure ??= new Broken(`${change.id} is answered while it is being closed`);
      const isOver = change.result !== "unavailable" || !change.sent;
      if (isOver && [...change.opened].some((shard) => !change.closed.has(shard)))
        this.failure ??= new Broken(`${change.id} is over, and not closed everywhere`);
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
    return [updateKey(row, { enabled: toggled, name: `n${n}` }, now)];
  }

  /** Nobody may put that into KV; a mutant does. */
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
      this.counters.repeated += 1;
      return;
    }
    this.#batches.set(source, batch.number);
    this.handedOver += batch.uses.length;
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

  #checkLastUsed(before: number): void {
    if (database.changes === before) this.failure ??= new Broken("D1 is asked to write nothing");
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

  checkHosts(): void {
    for (const host of this.hosts) host.check();
  }

  /** Nobody waits without end. */
  checkAnswers(): void {
    for (const owner of this.#unanswered) hold(!owner.alive, `${owner.name} is never answered`);
    for (const { id, owner, result } of this.changes)
      hold(!owner.alive || result !== null, `${id} is never answered`);
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

export const keyRow = (id: string, account_id: string, hash: string, now: number): KeyRow => ({
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
