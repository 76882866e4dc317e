/** A line of `POST /admin/keys/import`, but for the account and the GraphQL access. */
export interface Converted {
  name: string;
  sha256?: string;
  key?: string;
  prefix?: string;
  enabled?: boolean;
  created_at?: string;
  expires_at?: string;
  graphql?: "read" | "read_write";
  /** Whose key it was where it comes from: the account it becomes a key of. */
  owner?: string;
}

type Row = Record<string, unknown>;

/** Longest name a key may have (spec 3). */
const MAX_NAME = 64;

/**
 * How each system's export is read. Every one takes a record as that system gives it out and says what it is in
 * Postern's terms.
 * @throws Error that names what the record lacks
 */
export const FORMATS: Record<string, (row: Row, now: number) => Converted> = {
  /** A list of keys as they are, as Runpod and others show them once: `{ key, … }`, with `LISTED` beside it. */
  keys: (row) => ({ key: text(row, "key"), ...listed(row, "key") }),

  /** A list of SHA-256 sums in hex: `{ sha256, … }`, with `LISTED` beside it; or one bare sum a line. */
  sha256: (row) => ({ sha256: hexOf(text(row, "sha256")), ...listed(row, "sha256") }),

  /** Rows of Unkey's table `keys`: `hash` is base64 of the SHA-256, times are ms or SQL's. */
  unkey: (row) => {
    const plaintext = row.plaintext;
    return {
      // Only where keys were made recoverable does listKeys give them out, with `decrypt`.
      ...(typeof plaintext === "string" ? { key: plaintext } : { sha256: fromBase64(text(row, "hash")) }),
      name: nameOf(row.name ?? row.id, "Unkey key"),
      ...shown(row.start),
      ...enabledOf(row.enabled),
      ...times(row.created_at_m ?? row.createdAt, row.expires),
      ...ownerOf(row.external_id ?? row.owner_id ?? row.ownerId),
    };
  },

  /** Entries of Kong's `GET /key-auths`: `key` as it is, `created_at` in seconds, `ttl` the seconds that are left. */
  kong: (row, now) => {
    const consumer = row.consumer as Row | null | undefined;
    const left = typeof row.ttl === "number" && row.ttl > 0 ? now + row.ttl * 1000 : undefined;
    return {
      key: text(row, "key"),
      name: nameOf(
        Array.isArray(row.tags) ? row.tags[0] : undefined,
        `Kong key ${text(row, "id").slice(0, 8)}`,
      ),
      ...times(typeof row.created_at === "number" ? row.created_at * 1000 : undefined, left),
      ...ownerOf(consumer?.username ?? consumer?.id),
    };
  },

  /** Rows of better-auth's table `apikey`: `key` is base64url of the SHA-256, without padding. */
  "better-auth": (row) => ({
    sha256: fromBase64(text(row, "key")),
    name: nameOf(row.name, "better-auth key"),
    ...shown(row.start),
    ...enabledOf(row.enabled),
    ...times(row.createdAt, row.expiresAt),
    ...ownerOf(row.referenceId ?? row.userId),
  }),
};

/** What a list may say of a key beside the key itself. No other system wrote it: what is not read is a mistake. */
const LISTED = ["name", "prefix", "enabled", "created_at", "expires_at", "graphql", "account_id"];

function listed(row: Row, key: string): Omit<Converted, "key" | "sha256"> {
  const strange = Object.keys(row).find((member) => member !== key && !LISTED.includes(member));
  if (strange !== undefined) throw new Error(`${strange} is not read: beside ${key} go ${LISTED.join(", ")}`);
  const { graphql } = row;
  if (graphql !== undefined && graphql !== "read" && graphql !== "read_write") {
    throw new Error("graphql is read or read_write");
  }
  return {
    name: nameOf(row.name, "Imported key"),
    ...shown(row.prefix),
    ...enabledOf(row.enabled),
    ...times(row.created_at, row.expires_at),
    ...(graphql !== undefined && { graphql }),
    ...ownerOf(row.account_id),
  };
}

function hexOf(sum: string): string {
  if (!/^[0-9a-f]{64}$/i.test(sum)) throw new Error("sha256 is not 64 hexadecimal digits");
  return sum.toLowerCase();
}

function text(row: Row, member: string): string {
  const value = row[member];
  if (typeof value !== "string" || value === "") throw new Error(`${member} is missing`);
  return value;
}

/** Hex of what base64 or base64url spells. @throws Error where that is no SHA-256: keys stored as they are, say */
function fromBase64(spelled: string): string {
  const bytes = Buffer.from(spelled, "base64");
  const same =
    bytes.toString("base64url") === spelled.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
  if (!same || bytes.length !== 32) throw new Error("the hash is not a SHA-256 in base64");
  return bytes.toString("hex");
}

function nameOf(given: unknown, otherwise: string): string {
  // As src/keys/rules.ts has it: no control characters, no bidirectional overrides.
  const name =
    typeof given === "string" ? given.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "").trim() : "";
  return [...(name === "" ? otherwise : name)].slice(0, MAX_NAME).join("");
}

const shown = (prefix: unknown) => (typeof prefix === "string" && prefix !== "" ? { prefix } : {});
const ownerOf = (owner: unknown) => (typeof owner === "string" && owner !== "" ? { owner } : {});
const enabledOf = (enabled: unknown) => (enabled === false || enabled === 0 ? { enabled: false } : {});

function times(created: unknown, expires: unknown): Pick<Converted, "created_at" | "expires_at"> {
  const [from, until] = [instant(created), instant(expires)];
  return { ...(from && { created_at: from }), ...(until && { expires_at: until }) };
}

/** RFC 3339 of milliseconds or of a date's text; SQL's, without a zone, is UTC. */
function instant(value: unknown): string | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  const zoned =
    typeof value === "string" && !/(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? `${value.replace(" ", "T")}Z` : value;
  const date = new Date(zoned as string | number);
  if (Number.isNaN(date.getTime())) throw new Error(`not a time: ${String(value)}`);
  return date.toISOString();
}
