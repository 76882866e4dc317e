import { VARIABLE_NAMES } from "../src/env.ts";
import { type LocalSecrets, publicHalf } from "./local-secrets.ts";

/** Variables and secrets of a local gateway, as text. */
export interface LocalSettings {
  vars: Record<string, string>;
  secrets: Record<string, string>;
}

/** Variables whose value nobody but the gateway may see. */
const SECRET_NAMES = new Set(["KEY_TAG_SECRETS", "SIGNING_KEYS", "SESSION_SECRETS", "OIDC_CLIENT_SECRET"]);

/**
 * What the local edition sets so that it works out of the box, with anything Postern knows (and origin
 * credentials, ORIGIN_…) taken from the process environment instead where it is set there.
 */
export function localSettings(
  local: LocalSecrets,
  publicUrl: string,
  environment: Record<string, string | undefined>,
): LocalSettings {
  const settings: LocalSettings = {
    vars: {
      PUBLIC_URL: publicUrl,
      SESSION_ISSUER: "http://postern.local/sessions",
      SESSION_AUDIENCE: "postern",
      INSECURE_ORIGIN_HOSTS: "127.0.0.1,localhost",
      LEGACY_KEYS: "on",
      LOCAL_SIGN_IN: "on",
    },
    secrets: {
      KEY_TAG_SECRETS: JSON.stringify(local.KEY_TAG_SECRETS),
      SIGNING_KEYS: JSON.stringify(local.SIGNING_KEYS),
      SESSION_SECRETS: JSON.stringify(local.SESSION_SECRETS),
    },
  };
  if (signsSessionsItself(environment)) {
    settings.vars.SESSION_JWKS = JSON.stringify({ keys: [publicHalf(local.SESSION_KEY)] });
  }
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (SECRET_NAMES.has(name) || name.startsWith("ORIGIN_")) settings.secrets[name] = value;
    else if ((VARIABLE_NAMES as string[]).includes(name)) settings.vars[name] = value;
  }
  return settings;
}

/** Whether local session tokens are the ones the gateway trusts, rather than somebody else's. */
export function signsSessionsItself(environment: Record<string, string | undefined>): boolean {
  return environment.SESSION_JWKS === undefined && environment.SESSION_JWKS_URL === undefined;
}
