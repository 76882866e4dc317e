import { carryOut, type Operator } from "../api/operator.ts";
import { formatInstant } from "../keys/time.ts";
import { type KnownKey, readKnownKeys, revokeKeys } from "../store/keys.ts";

/** Hashes asked for at once: 64 digits each, well under D1's 2 MB for a bound value. */
const ASKED = 5000;
/** Keys revoked in one change, each with an audit row. */
const REVOKED = 1000;

/** Where a secret was found. */
export interface Sighting {
  hash: string;
  source: string | null;
  url: string | null;
}

/**
 * Revokes those keys of ours that were seen in public. Repeating it changes nothing more.
 * @returns the hashes that are keys of ours, whatever their state; null when not all could be revoked
 */
export async function revokeLeaked(
  operator: Operator,
  sightings: readonly Sighting[],
): Promise<Set<string> | null> {
  const first = new Map<string, Sighting>();
  for (const sighting of sightings) if (!first.has(sighting.hash)) first.set(sighting.hash, sighting);

  const known: KnownKey[] = [];
  for (const hashes of chunks([...first.keys()], ASKED)) {
    known.push(...(await readKnownKeys(operator.env.DB, hashes)));
  }
  const live = known.filter(({ revoked_at }) => revoked_at === null);
  for (const keys of chunks(live, REVOKED)) {
    if ((await revoke(operator, keys, first)) !== "committed") return null;
  }
  return new Set(known.map(({ hash }) => hash));
}

function revoke(operator: Operator, keys: readonly KnownKey[], sightings: ReadonlyMap<string, Sighting>) {
  const { now: at, actor, address } = operator;
  const entries = keys.map(({ id, account_id, hash }) => {
    const { source, url } = sightings.get(hash)!;
    return {
      id: crypto.randomUUID(),
      at,
      actor,
      address,
      account_id,
      action: "api_key.revoke",
      subject: id,
      before: { revoked_at: null },
      after: { revoked_at: formatInstant(at), reason: "found in public", source, url },
    };
  });
  const deed = {
    action: "secret_scanning.report",
    subject: keys[0]!.id,
    account_id: null,
    before: null,
    after: { keys: keys.length },
  };
  return carryOut(operator, deed, [revokeKeys(keys, entries, at)]);
}

function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
