import { randomBase62 } from "./base62.ts";
import type { Environment } from "./record.ts";
import { sameTag, type TagSecrets, tagOf } from "./tag.ts";

export type { Environment } from "./record.ts";
export { parseTagSecrets, type TagSecrets } from "./tag.ts";

/** The word inside a key that tells its environment. */
const WORDS = { production: "live", test: "test" } as const;

/** What a presented secret is, told without any look-up. */
export type Classified =
  | { kind: "native"; environment: Environment }
  | { kind: "forged" }
  | { kind: "legacy" };

/** The format of native keys under one configuration. Built once, used for every request. */
export interface KeyFormat {
  /** A new native key under the first prefix and the current tag secret. */
  generate(environment: Environment): string;
  /**
   * - `native`: the exact shape under a listed prefix, with a true tag. Look it up.
   * - `forged`: starts as a native key does (`PREFIX_live_` or `PREFIX_test_` of a listed prefix) and is
   *   none: wrong tag, unknown tag secret, wrong length, foreign characters. It costs no look-up, so a
   *   truncated or mistyped key is not mistaken for a legacy one.
   * - `legacy`: anything else, such as Runpod's `rpa_XXXX`, also when `rpa` is a listed prefix.
   *
   * Hence a deployment that imports legacy keys of the form `rt_live_…` must not list `rt` as a prefix.
   */
  classify(presented: string): Classified;
  /** Whether a native key with a true tag stands anywhere in a text, glued to other text or not. */
  within(text: string): boolean;
}

/** A word of the list `KEY_PREFIX`. */
export const PREFIX_WORD = /^[a-z][a-z0-9]{1,15}$/;
/** The same in words. */
export const PREFIX_RULE = "a prefix must be 2 to 16 lower-case letters and digits, a letter first";

/**
 * `prefixes` is the list `KEY_PREFIX`: the first marks new keys, later ones stay valid.
 * @throws Error that names the wrong prefix, or the current tag secret where it is missing.
 */
export function createKeyFormat(options: { prefixes: readonly string[]; tagSecrets: TagSecrets }): KeyFormat {
  const [newest] = checkPrefixes(options.prefixes);
  const words = options.prefixes.join("|");
  const opening = new RegExp(`^(?:${words})_(?:live|test)_`);
  const shape = new RegExp(`^((?:${words})_(live|test)_([0-9A-Za-z])[0-9A-Za-z]{40})([0-9A-Za-z]{6})$`);
  // Looking ahead, so that finds may overlap: of two listed prefixes one may end as the other.
  const anywhere = new RegExp(`(?=(${SECRET_SCANNER_PATTERN(options.prefixes)}))`, "g");
  const secrets = new Map(Object.entries(options.tagSecrets.secrets));
  const currentName = options.tagSecrets.current;
  const currentSecret = secrets.get(currentName);
  if (currentSecret === undefined) throw new Error(`The current tag secret "${currentName}" is not listed`);

  const format: KeyFormat = {
    generate(environment) {
      const body = `${newest}_${WORDS[environment]}_${currentName}${randomBase62(40)}`;
      return body + tagOf(currentSecret, body);
    },
    classify(presented) {
      if (!opening.test(presented)) return { kind: "legacy" };
      const match = shape.exec(presented);
      if (match === null) return { kind: "forged" };
      const [, body = "", word, secretName = "", tag = ""] = match;
      const secret = secrets.get(secretName);
      if (secret === undefined || !sameTag(tag, tagOf(secret, body))) return { kind: "forged" };
      return { kind: "native", environment: word === "live" ? "production" : "test" };
    },
    within(text) {
      return [...text.matchAll(anywhere)].some(([, found = ""]) => format.classify(found).kind === "native");
    },
  };
  return format;
}

/**
 * The regular expression for secret scanners, without anchors or look-around so that every engine reads
 * it, and without word boundaries so that a key glued to other text is found. A find may be false: only
 * the tag tells. A tag of 32 bits begins with `0` to `4`, since 5 x 62^5 exceeds 2^32.
 */
export function SECRET_SCANNER_PATTERN(prefixes: readonly string[]): string {
  const words = checkPrefixes(prefixes).join("|");
  return `(?:${words})_(?:live|test)_[A-Za-z][0-9A-Za-z]{40}[0-4][0-9A-Za-z]{5}`;
}

const NATIVE_PREFIX = /^[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{5}(?=[0-9A-Za-z]{42}$)/;

/**
 * What may be shown of a key for ever. Of a native one: everything up to and including its first 4
 * random characters. Of any other secret: its first 8 characters (`rpa_` and 4 more), and never more
 * than a third of it, so that a short secret shows less.
 */
export function displayPrefix(key: string): string {
  return NATIVE_PREFIX.exec(key)?.[0] ?? key.slice(0, Math.min(8, Math.floor(key.length / 3)));
}

function checkPrefixes(prefixes: readonly string[]): readonly string[] {
  if (prefixes.length === 0) throw new Error("KEY_PREFIX: at least one prefix is required");
  for (const prefix of prefixes) {
    if (!PREFIX_WORD.test(prefix)) {
      throw new Error(`KEY_PREFIX: ${PREFIX_RULE}, not "${prefix}"`);
    }
  }
  return prefixes;
}
