import { createHmac } from "node:crypto";
import { type TagSecrets, tagOf } from "../src/keys/tag.ts";

/** Makes the demo's keys: the same ones every time, from a seed, so that none of them is stored. */
export interface DemoKeys {
  /** The word native keys begin with. */
  prefix: string;
  /** A native key. `name` tells it from the demo's others. */
  native(name: string, environment: "production" | "test"): string;
  /** A key of the shape Runpod's first API keys had: 40 capital letters and digits. */
  legacy(name: string): string;
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * @param prefix the first word of KEY_PREFIX
 */
export function createDemoKeys(seed: string, prefix: string, { secrets, current }: TagSecrets): DemoKeys {
  return {
    prefix,
    native(name, environment) {
      const word = environment === "test" ? "test" : "live";
      const body = `${prefix}_${word}_${current}${derive(seed, name, BASE62)}`;
      return body + tagOf(secrets[current]!, body);
    },
    legacy: (name) => derive(seed, name, BASE62.slice(0, 36)),
  };
}

/** 40 characters of `alphabet`. 512 bits in, at most 239 out: as good as evenly spread. */
function derive(seed: string, name: string, alphabet: string): string {
  let number = BigInt(`0x${createHmac("sha512", seed).update(name).digest("hex")}`);
  const base = BigInt(alphabet.length);
  let text = "";
  while (text.length < 40) {
    text += alphabet[Number(number % base)];
    number /= base;
  }
  return text;
}
