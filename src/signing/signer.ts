import type { JWTPayload } from "jose";
import { type Config, ConfigError } from "../env.ts";
import { ALGORITHMS, signJwt } from "./sign-jwt.ts";
import type { Algorithm, SigningKey } from "./signing-keys.ts";

/** Claims of a token that is to be signed: when it ends is not optional. */
export type Claims = JWTPayload & { sub: string; aud: string; iat: number; exp: number };

/** Signs in the gateway's name. One per isolate: a private key is read once, not at each signature. */
export class Signer {
  readonly #issuer: string | undefined;
  readonly #keys: readonly SigningKey[];
  // Values, never promises: a Worker must not wait for what another request began.
  readonly #imported = new Map<Algorithm, { kid: string; key: CryptoKey }>();

  constructor({ PUBLIC_URL, SIGNING_KEYS }: Pick<Config, "PUBLIC_URL" | "SIGNING_KEYS">) {
    this.#issuer = PUBLIC_URL;
    this.#keys = SIGNING_KEYS ?? [];
  }

  /**
   * A JWT with these claims and the gateway as `iss`, signed by the first listed key of the algorithm.
   * @throws ConfigError that says what is missing; the log gets it, the client a plain 500
   */
  async sign(alg: Algorithm, claims: Claims): Promise<string> {
    if (this.#issuer === undefined)
      throw new ConfigError("PUBLIC_URL is not set, and what is signed names it");
    const { kid, key } = await this.#key(alg);
    return signJwt({ alg, kid, typ: "JWT" }, { ...claims, iss: this.#issuer }, key);
  }

  async #key(alg: Algorithm): Promise<{ kid: string; key: CryptoKey }> {
    const kept = this.#imported.get(alg);
    if (kept !== undefined) return kept;
    const jwk = this.#keys.find((candidate) => candidate.alg === alg);
    if (jwk === undefined || jwk.privateJwk === null) {
      throw new ConfigError(`SIGNING_KEYS holds no ${alg} key, and ${alg} is to be signed`);
    }
    let key: CryptoKey;
    try {
      key = await crypto.subtle.importKey("jwk", jwk.privateJwk as JsonWebKey, ALGORITHMS[alg], false, [
        "sign",
      ]);
    } catch {
      // What the runtime says of a key it cannot read might quote it.
      throw new ConfigError(`SIGNING_KEYS: the first ${alg} key is not a valid private key`);
    }
    const imported = { kid: jwk.kid, key };
    this.#imported.set(alg, imported);
    return imported;
  }
}
