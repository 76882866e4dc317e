import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Native keys of any prefix, and JWTs: session tokens, and those Kubernetes is given. */
const SECRETS = /[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{47}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/g;
/** What every native key holds and what every JWT starts with; looked for first, because there may be thousands. */
const MARKS = ["_live_", "_test_", "eyJ"];
/** Longest prefix word of a key. */
const LONGEST_PREFIX = 16;

/** The secrets that a text shows. */
export function secretsIn(text: string): string[] {
  return text.match(SECRETS) ?? [];
}

/** Looks for secrets in bytes: log lines, and files as a database left them. */
export class LeakFinder {
  /** By where in the secret its mark is; a text file or a database page has nothing between its values. */
  readonly #marked = new Map<string, string[]>();
  readonly #others: string[] = [];

  constructor(secrets: Iterable<string>) {
    for (const secret of new Set(secrets)) {
      const mark = MARKS.find((one) => secret.slice(0, LONGEST_PREFIX + one.length).includes(one));
      if (mark === undefined) this.#others.push(secret);
      else {
        // What follows the mark tells most secrets apart.
        const at = secret.indexOf(mark) + mark.length;
        const name = mark + secret.slice(at, at + 12);
        this.#marked.set(name, [...(this.#marked.get(name) ?? []), secret]);
      }
    }
  }

  /** Whether any secret is in there. */
  isIn(bytes: Buffer): boolean {
    if (this.#others.some((secret) => bytes.includes(secret))) return true;
    return MARKS.some((mark) => {
      for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) {
        const name = bytes.toString("latin1", at, at + mark.length + 12);
        const around = bytes.subarray(Math.max(0, at - LONGEST_PREFIX), at + 4096);
        if (this.#marked.get(name)?.some((secret) => around.includes(secret))) return true;
      }
      return false;
    });
  }

  /** The files below a directory that hold a secret. */
  filesIn(directory: string): string[] {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => this.isIn(readFileSync(file)));
  }
}
