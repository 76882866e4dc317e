/** What decides whether an origin may be forwarded to. */
export interface OriginRules {
  /** Host names exempt from the rules: `INSECURE_ORIGIN_HOSTS`. */
  insecureHosts: readonly string[];
  /** The gateway's own host names: an origin there would be a loop. */
  ownHosts: readonly string[];
}

/**
 * Why a URL may not be an origin, or null. The URL parser folds every spelling of an address (octal,
 * hexadecimal, single integer, full-width digits) into one before it is judged (WHATWG URL, host parser).
 */
export function originProblem(text: string, rules: OriginRules): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "must be a URL";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must be an https URL";
  if (url.username !== "" || url.password !== "" || /^[^/]*\/\/[^/]*@/.test(text)) {
    return "must not hold user information";
  }
  if (!/^https?:\/\/[^/]/i.test(text) || /[\x00-\x20\x7f]/.test(text)) return "must be a plain URL";
  if (url.search !== "" || url.hash !== "" || text.includes("?") || text.includes("#")) {
    return "must not have a query or fragment";
  }
  if (/\\|%|\s/.test(text) || /\/\.{1,2}(\/|$)/.test(text) || /[^:]\/\//.test(text)) {
    return "must be a plain URL without backslashes, escapes, dot segments or empty segments";
  }
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  if (/(^|\.)(\.|$)/.test(host)) return "must not have an empty label in its host name";
  const insecure = rules.insecureHosts.includes(host);
  if (rules.ownHosts.some((own) => isOwnHost(url, own, insecure)))
    return "must not be the gateway's own host";
  if (insecure) return null;
  if (url.protocol !== "https:") return "must be an https URL";
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) {
    return isPublicIPv4(host.split(".").map(Number)) ? null : "must not be a private or local address";
  }
  if (host.startsWith("[")) {
    return isPublicIPv6(host.slice(1, -1)) ? null : "must not be a private or local address";
  }
  if (
    !host.includes(".") ||
    /(^|\.)(localhost|local|internal|localdomain|home\.arpa|onion|svc|lan|corp|home|intranet|private)$/.test(
      host,
    )
  ) {
    return "must be a public host name";
  }
  return null;
}

/** On a host that is exempt from the rules, other ports are other servers; elsewhere the name decides. */
function isOwnHost(url: URL, own: string, exempt: boolean): boolean {
  const name = own.toLowerCase();
  if (name === url.host.toLowerCase()) return true;
  return !exempt && name.replace(/:\d+$/, "") === url.hostname.toLowerCase().replace(/\.$/, "");
}

/** The host names the gateway itself is reached under, as far as its configuration tells. */
export function ownHostsOf(config: {
  HOSTNAMES: readonly string[];
  PUBLIC_URL?: string | undefined;
}): string[] {
  const published = config.PUBLIC_URL === undefined ? [] : [new URL(config.PUBLIC_URL).host];
  return [...config.HOSTNAMES, ...published];
}

/** IANA special-purpose address registry (RFC 6890 and its updates): what no origin on the internet has. */
function isPublicIPv4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  return !(
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 192 && b === 88 && c === 99) ||
    (a === 198 && (b === 18 || b === 19)) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113)
  );
}

/** Only global unicast is public, less what embeds or tunnels IPv4, and documentation. */
function isPublicIPv6(text: string): boolean {
  const groups = expandIPv6(text);
  const [first = 0, second = 0] = groups;
  if (first < 0x2000 || first > 0x3fff) return false; // loopback, mapped, NAT64, ULA, link-local, multicast
  if (first === 0x2001 && second < 0x200) return false; // IETF protocol assignments: Teredo, ORCHID
  if (first === 0x2001 && second === 0xdb8) return false;
  if (first === 0x2002) return false; // 6to4
  return !(first === 0x3fff && second < 0x1000); // documentation
}

/** The eight groups of an address as the URL parser writes it: lower case, `::` at most once. */
function expandIPv6(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(zeros).fill("0"), ...right].map((group) => Number.parseInt(group, 16));
}
