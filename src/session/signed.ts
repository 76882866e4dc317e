import { type JWTPayload, jwtVerify } from "jose";
import type { TagSecrets } from "../keys/tag.ts";
import { ALGORITHMS, signJwt } from "../signing/sign-jwt.ts";

/** What a signed value is for: a notice is no session. */
export type Purpose = "session" | "sign-in" | "notice";

/**
 * Where a signed value is good. It is signed as the audience, so that none passes for another; not that of
 * another gateway either, which was given the same secret.
 */
export interface Use {
  purpose: Purpose;
  /** Host, with its port unless that is the scheme's own, as the person sees it. */
  host: string;
}

const audienceOf = ({ purpose, host }: Use) => `${purpose}@${host}`;

const ALGORITHM = "HS256";
const ISSUER = "postern";

const bytes = (secret: string) => new TextEncoder().encode(secret);

/**
 * Signs a value that a browser keeps for us, so that it can neither be made nor changed there. It can be
 * read there.
 * @param secrets SESSION_SECRETS: the current one signs, all verify
 * @param lifetime seconds
 */
export async function signValue(
  secrets: TagSecrets,
  use: Use,
  value: Record<string, unknown>,
  lifetime: number,
  now: number,
): Promise<string> {
  const seconds = Math.floor(now / 1000);
  const secret = bytes(secrets.secrets[secrets.current]!);
  return signJwt(
    { alg: ALGORITHM, kid: secrets.current },
    { value, iss: ISSUER, aud: audienceOf(use), iat: seconds, exp: seconds + lifetime },
    await crypto.subtle.importKey("raw", secret, ALGORITHMS[ALGORITHM], false, ["sign"]),
  );
}

/** The value, once signature, use and lifetime hold; else null. `exp` and `iat` in seconds. */
export async function verifyValue<T>(
  secrets: TagSecrets,
  use: Use,
  token: string,
  now: number,
): Promise<{ value: T; iat: number; exp: number } | null> {
  const find = ({ kid }: { kid?: string }) => {
    if (kid === undefined || !Object.hasOwn(secrets.secrets, kid)) throw new Error("unknown secret");
    return bytes(secrets.secrets[kid]!);
  };
  try {
    const { payload } = await jwtVerify<JWTPayload & { value: T }>(token, find, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: audienceOf(use),
      requiredClaims: ["exp", "iat"],
      currentDate: new Date(now),
    });
    return { value: payload.value, iat: payload.iat!, exp: payload.exp! };
  } catch {
    return null;
  }
}
