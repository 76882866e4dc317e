import { SignJWT } from "jose";
import type { Config } from "../env.ts";
import { signingKey } from "./signing-keys.ts";

/** Who calls, as signed for one origin. */
export interface AssertedCaller {
  accountId: string;
  keyId: string;
  environment: string;
  access: string;
  /** Id of the endpoint: the audience, so that an origin cannot replay it to another. */
  endpointId: string;
}

/** Lifetime of an assertion in seconds (spec 2.7: at most 60). */
const LIFETIME = 60;
/** An assertion is reused until this many seconds before it expires. */
const MARGIN = 10;
/** Assertions kept; beyond it all are forgotten, which costs a signature each. */
const MOST_KEPT = 2000;

/** Signs callers' identities for origins, once per caller and minute. */
export class Assertions {
  readonly #config: Config;
  readonly #kept = new Map<string, { token: string; goodUntil: number }>();

  constructor(config: Config) {
    this.#config = config;
  }

  /**
   * The value of `x-postern-assertion`: an ES256 JWT, from memory while it is good.
   * @throws Error when no ES256 signing key or no PUBLIC_URL is configured
   */
  async of(caller: AssertedCaller, now: number): Promise<string> {
    const name = `${caller.keyId}\n${caller.endpointId}\n${caller.access}\n${caller.environment}`;
    const kept = this.#kept.get(name);
    const seconds = Math.floor(now / 1000);
    if (kept !== undefined && seconds < kept.goodUntil) return kept.token;
    const signer = await signingKey(this.#config, "ES256");
    if (signer === null) throw new Error("SIGNING_KEYS holds no ES256 key with a kid");
    if (this.#config.PUBLIC_URL === undefined) throw new Error("PUBLIC_URL is not set");
    const token = await new SignJWT({
      key_id: caller.keyId,
      environment: caller.environment,
      access: caller.access,
    })
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: "JWT" })
      .setIssuer(this.#config.PUBLIC_URL)
      .setSubject(caller.accountId)
      .setAudience(caller.endpointId)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + LIFETIME)
      .sign(signer.key);
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(name, { token, goodUntil: seconds + LIFETIME - MARGIN });
    return token;
  }
}
