import { createPublicKey, type KeyObject } from "node:crypto";
import * as z from "zod/mini";
import { readCapped } from "../http/read-capped.ts";
import { decodeUtf8 } from "../json.ts";
import { oncePerConfig } from "../once-per-config.ts";

/** How long a list of keys is taken for current, in ms. */
const FRESH = 3_600_000;
/** How long it still serves while a newer one cannot be had. */
const STALE = 24 * FRESH;
/** Least time between two fetches for the sake of an unknown key: anybody can name one. */
const PAUSE = 60_000;
/** Least time between two fetches while the list cannot be had. */
const REST = 2000;
/** Longest wait for the list, in ms. */
const PATIENCE = 5000;
const MAX_BYTES = 256 * 1024;

const Listed = z.object({
  public_keys: z.array(z.object({ key_identifier: z.string(), key: z.string() })),
});

/** The public keys of the partner that reports leaked secrets, kept in the isolate's memory. */
class PartnerKeys {
  readonly #url: string;
  #keys = new Map<string, KeyObject>();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * The key of that id, `null` if the list names none, `"unavailable"` if there is no list to be had. A key
   * that is no longer the current one serves as long as it is listed: reports may be under way.
   */
  async find(id: string, now: number): Promise<KeyObject | null | "unavailable"> {
    const age = now - this.#fetchedAt;
    const known = this.#keys.get(id);
    if (known !== undefined && age < FRESH) return known;
    if (age < PAUSE) return null;
    const resting = now - this.#failedAt < REST;
    if (!resting && (await this.#fetch(now))) return this.#keys.get(id) ?? null;
    return known !== undefined && age < STALE ? known : "unavailable";
  }

  async #fetch(now: number): Promise<boolean> {
    try {
      const response = await fetch(this.#url, {
        // GitHub's API answers nobody without a name.
        headers: { accept: "application/json", "user-agent": "postern" },
        redirect: "manual",
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (response.status !== 200) throw new Error(`status ${response.status}`);
      const bytes = await readCapped(response.body, MAX_BYTES);
      const text = bytes === "too_large" ? null : decodeUtf8(bytes);
      const { public_keys } = Listed.parse(JSON.parse(text ?? ""));
      this.#keys = new Map(public_keys.flatMap(({ key_identifier, key }) => readKey(key_identifier, key)));
      this.#fetchedAt = now;
      return true;
    } catch (error) {
      this.#failedAt = now;
      console.error(JSON.stringify({ message: "secret-scanning keys cannot be had", error: String(error) }));
      return false;
    }
  }
}

/** A key of a kind we cannot use is as good as not listed. */
function readKey(id: string, pem: string): [string, KeyObject][] {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ec" ? [[id, key]] : [];
  } catch {
    return [];
  }
}

/** The isolate's copy. */
export const partnerKeys = oncePerConfig((config) => new PartnerKeys(config.SECRET_SCANNING_KEYS_URL));
