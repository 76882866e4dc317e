/** Whoever runs code: a request, an isolate, a management Worker, a ledger object's life. Dead, it runs no more. */
export class Owner {
  readonly name: string;
  readonly parent: Owner | null;
  /** How many of its calls to a service have not been answered, or not well. */
  readonly trouble: Record<string, number> = {};
  /** How often it called a service, and with what. */
  readonly calls: Record<string, number> = {};
  dead = false;

  constructor(name: string, parent: Owner | null = null) {
    this.name = name;
    this.parent = parent;
  }

  get alive(): boolean {
    return !this.dead && (this.parent?.alive ?? true);
  }
}

/**
 * What becomes of a message: it arrives (`ok`); is lost, so that the caller waits in vain; is refused
 * before anything happened (`refused`) or fails after it happened (`after`); fails now and arrives later
 * all the same (`late`); or arrives a second time, later (`repeat`).
 */
export type Fate = "ok" | "lost" | "refused" | "after" | "late" | "repeat";

interface Pending {
  /** Whose message it is. */
  owner: Owner;
  label: string;
  /** Held up in the network: nothing waits for it any more, and it may yet arrive. */
  astray: boolean;
  run(fate: Fate): void;
}

interface Timer {
  at: number;
  owner: Owner;
  run(): void;
}

/** What a call fails with that does not get through. */
export const FAILURE = "D1_ERROR: Network connection lost.";

/**
 * A world in which nothing happens by itself: messages and their answers wait in a list until the schedule
 * picks one, timers until it lets time pass. Between two steps every promise that can settle has settled.
 */
export class Sim {
  /** Milliseconds; close before a full hour, so that counts fall into two. */
  now = Date.UTC(2026, 0, 1, 0, 59, 50);
  /** Counts steps: what happened before what, within one millisecond too. */
  step = 0;
  readonly pending: Pending[] = [];
  readonly #timers = new Map<object, Timer>();
  readonly nobody = new Owner("nobody");
  current: Owner = this.nobody;
  trace: string[] | null = null;

  /** Lets `code` run as `owner`, and everything that follows from it at once. */
  async run(owner: Owner, code: () => unknown): Promise<void> {
    this.step += 1;
    this.current = owner;
    code();
    await settled();
    this.current = this.nobody;
  }

  post(owner: Owner, label: string, run: (fate: Fate) => void, astray = false): void {
    this.pending.push({ owner, label, run, astray });
  }

  /** Index of the message that waits for longest, those astray left aside; -1 when there is none. */
  get next(): number {
    return this.pending.findIndex(({ astray }) => !astray);
  }

  async fire(index: number, fate: Fate): Promise<void> {
    const message = this.pending[index];
    if (message === undefined) return;
    this.pending.splice(index, 1);
    this.trace?.push(`${this.step} ${message.owner.name}: ${message.label} ${fate}`);
    this.step += 1;
    message.run(fate);
    await settled();
    this.current = this.nobody;
  }

  /**
   * A call over the network; `execute` happens when the message arrives.
   * @param isCut whether the caller cannot reach the service at the time
   */
  call<T>(
    owner: Owner,
    service: "d1" | "kv" | "ledger",
    label: string,
    isCut: () => boolean,
    execute: () => T | Promise<T>,
  ): Promise<T> {
    const sentAt = this.now;
    owner.trouble[service] = (owner.trouble[service] ?? 0) + 1;
    return new Promise<T>((resolve, reject) => {
      const fail = () => {
        if (!owner.alive) return;
        this.current = owner;
        reject(new Error(FAILURE));
      };
      const arrive = (): (() => void) | Promise<() => void> => {
        this.current = this.nobody;
        try {
          const result = execute();
          if (!(result instanceof Promise)) return () => resolve(result);
          return result.then(
            (value) => () => resolve(value),
            (error) => () => reject(error),
          );
        } catch (error) {
          return () => reject(error);
        }
      };
      const answer = (settle: () => void) =>
        this.post(owner, `${label}, answer`, (fate) => {
          if (!owner.alive) return;
          if (fate === "lost") return;
          if (fate === "refused" || fate === "after") return fail();
          this.current = owner;
          // Whoever waited for so long may have given up.
          if (this.now - sentAt < (service === "d1" ? 2000 : 500))
            owner.trouble[service] = (owner.trouble[service] ?? 0) - 1;
          settle();
        });
      this.post(owner, label, (fate) => {
        if (fate === "lost") return;
        if (fate === "refused" || isCut()) return fail();
        if (fate === "late") {
          this.post(owner, `${label}, late`, () => void arrive(), true);
          return fail();
        }
        const settled = arrive();
        // D1 runs a batch once, or not at all.
        if (fate === "repeat" && service !== "d1")
          this.post(owner, `${label}, again`, () => void arrive(), true);
        if (fate === "after") return fail();
        if (settled instanceof Promise) void settled.then(answer);
        else answer(settled);
      });
    });
  }

  /** Has `run` happen after `ms`, if its owner lives; the result cancels it. */
  timer(ms: number, run: () => void, owner = this.current): object {
    const id = {};
    this.#timers.set(id, { at: this.now + Math.max(0, ms), owner, run });
    return id;
  }

  cancel(id: object): void {
    this.#timers.delete(id);
  }

  /** When the next timer is due. */
  nextTimer(): number | null {
    let next: number | null = null;
    for (const { at, owner } of this.#timers.values()) {
      if (owner.alive && (next === null || at < next)) next = at;
    }
    return next;
  }

  /** Lets time pass, timer by timer. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      let next: [object, Timer] | null = null;
      for (const entry of this.#timers) {
        if (!entry[1].owner.alive) this.#timers.delete(entry[0]);
        else if (entry[1].at <= end && (next === null || entry[1].at < next[1].at)) next = entry;
      }
      if (next === null) break;
      this.#timers.delete(next[0]);
      this.now = Math.max(this.now, next[1].at);
      await this.run(next[1].owner, next[1].run);
    }
    this.now = end;
  }

  /** Puts the simulated clock in place of the process's timers; the result puts those back. */
  takeTimers(): () => void {
    const { setTimeout, clearTimeout } = globalThis;
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms = 0) => this.timer(ms, run),
      clearTimeout: (id: object | undefined) => id !== undefined && this.cancel(id),
    });
    return () => Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}

const { setImmediate } = globalThis;
/** Resolves when every promise that can settle has. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
