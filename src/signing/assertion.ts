import type { Signer } from "./signer.ts";

/** Who calls, as signed for one origin. */
export interface AssertedCaller {
  accountId: string;
  keyId: string;
  environment: string;
  access: string;
  /** Id of the endpoint: the audience, so that an origin cannot replay it to another. */
  endpointId: string;
  /** When the key expires, in ms; an assertion never outlives it. */
  expiresAt: number | null;
}

/** Lifetime of an assertion in seconds (spec 2.7: at most 60). */
const LIFETIME = 60;
/** Seconds an assertion must have left to be used again, so that it is good when it reaches the origin. */
const MARGIN = 10;
/** Assertions kept, some 600 bytes each; the oldest makes room. */
const MOST_KEPT = 2000;

/** Signs callers' identities for origins, once per caller and minute. */
export class Assertions {
  readonly #signer: Signer;
  readonly #kept = new Map<string, { token: string; exp: number }>();

  constructor(signer: Signer) {
    this.#signer = signer;
  }

  /**
   * The value of `x-postern-assertion`: an ES256 JWT, from memory while it is good.
   * @param now in ms
   * @throws ConfigError when the gateway cannot sign
   */
  async of(caller: AssertedCaller, now: number): Promise<string> {
    const { keyId, endpointId, access, environment } = caller;
    const seconds = Math.floor(now / 1000);
    const keyEnds =
      caller.expiresAt === null ? Number.POSITIVE_INFINITY : Math.floor(caller.expiresAt / 1000);
    const latest = Math.min(seconds + LIFETIME, keyEnds);

    const name = `${keyId}\n${endpointId}\n${access}\n${environment}`;
    const kept = this.#kept.get(name);
    // Not past `latest`: the key's expiry may have been moved forward, or the clock back.
    if (kept !== undefined && kept.exp <= latest && kept.exp >= Math.min(seconds + MARGIN, keyEnds)) {
      return kept.token;
    }
    const token = await this.#signer.sign("ES256", {
      sub: caller.accountId,
      aud: endpointId,
      iat: seconds,
      exp: latest,
      key_id: keyId,
      environment,
      access,
    });
    this.#kept.delete(name);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(name, { token, exp: latest });
    return token;
  }
}
