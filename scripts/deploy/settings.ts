import { isLoopback } from "../../src/console/origin.ts";
import { type Config, ConfigError, DESCRIPTIONS, parseConfig, VARIABLE_NAMES } from "../../src/env.ts";

/** Secrets exist only at Cloudflare; the one that is required is stood in for. */
const STAND_IN = { KEY_TAG_SECRETS: JSON.stringify({ a: "-".repeat(32) }) };

/** Settings of one way in, which does nothing while another of them is missing. */
const TOGETHER: readonly (readonly (readonly (keyof Config)[])[])[] = [
  [["SESSION_ISSUER"], ["SESSION_AUDIENCE"], ["SESSION_JWKS_URL", "SESSION_JWKS"]],
  [["OIDC_ISSUER"], ["OIDC_CLIENT_ID"]],
  [["ACCESS_TEAM_DOMAIN"], ["ACCESS_AUDIENCE"]],
];

/**
 * Judges the variables of a deployment as the Worker will, and beyond that whether any is set in vain.
 * @param vars as wrangler.toml has them
 * @returns what is odd, but no reason not to deploy
 * @throws ConfigError naming each wrong one, and repeating none
 */
export function checkSettings(vars: Record<string, unknown>): string[] {
  const texts = Object.entries(vars).filter(([name]) => (VARIABLE_NAMES as string[]).includes(name));
  const notText = texts.filter(([, value]) => typeof value !== "string").map(([name]) => name);
  if (notText.length > 0) {
    throw new ConfigError(`Wrong configuration: ${notText.join(", ")}: must be text, in double quotes`);
  }
  const open = texts.filter(([name, value]) => value !== "" && isSecret(name)).map(([name]) => name);
  if (open.length > 0) {
    throw new ConfigError(`Wrong configuration: ${open.join(", ")}: set it by wrangler secret put, not here`);
  }
  const config = parseConfig({ ...vars, ...STAND_IN });
  const isSet = (names: readonly (keyof Config)[]) => names.some((name) => config[name] !== undefined);
  const lacking = TOGETHER.flatMap((group) => {
    const given = group.find(isSet);
    if (given === undefined) return [];
    const missing = group.filter((names) => !isSet(names));
    return missing.map((names) => `${given.join(" or ")} is set, but ${names.join(" or ")} is not`);
  });
  const wrong = [...lacking, ...wrongUrl(config)];
  if (wrong.length > 0) throw new ConfigError(`Wrong configuration: ${wrong.join("; ")}`);
  return Object.keys(vars)
    .filter((name) => !(VARIABLE_NAMES as string[]).includes(name) && !name.startsWith("ORIGIN_"))
    .map((name) => `${name} is no variable of Postern's (docs/configuration.md lists them)`);
}

/** Why nobody could come by PUBLIC_URL, in which each setting alone is well-formed. */
function wrongUrl({ PUBLIC_URL, HOSTNAMES }: Config): string[] {
  if (PUBLIC_URL === undefined) return [];
  const url = URL.parse(PUBLIC_URL);
  if (url === null) return ["PUBLIC_URL: must be a URL"];
  return [
    ...(url.protocol === "https:" || isLoopback(url.host) ? [] : ["PUBLIC_URL: must be an https URL"]),
    ...(HOSTNAMES.length === 0 || HOSTNAMES.includes(url.hostname)
      ? []
      : ["HOSTNAMES lacks the host of PUBLIC_URL, which would be answered 421"]),
  ];
}

const isSecret = (name: string) => DESCRIPTIONS[name as keyof Config].startsWith("Secret.");
