/** Where Cloudflare places a Durable Object when asked (its `locationHint`). */
type Hint = DurableObjectLocationHint;

const BY_CONTINENT: Record<string, Hint> = {
  AF: "afr",
  AN: "oc",
  AS: "apac",
  EU: "weur",
  OC: "oc",
  SA: "sam",
};

/** Eastern Europe begins at this longitude, western North America ends at the other. */
const EASTERN_EUROPE = 17;
const WESTERN_AMERICA = -98;

/** The relay an isolate talks to: the name of its Durable Object, and where that is to live. */
export interface RelayPlace {
  name: string;
  hint: Hint;
}

/**
 * One of the relays of the region where a request arrived. An isolate keeps to one, by its random id, so
 * that a region's isolates spread evenly over its relays.
 * @param perRegion relays in each region (`LEDGER_RELAYS`), at least one
 * @param isolate random id (a UUID)
 * @param cf the request's `cf`; where it says nothing, eastern North America is taken
 */
export function relayPlace(perRegion: number, isolate: string, cf: object): RelayPlace {
  const hint = regionOf(cf);
  return { name: `relay-${hint}-${Number.parseInt(isolate.slice(0, 8), 16) % perRegion}`, hint };
}

function regionOf({ continent, longitude }: { continent?: unknown; longitude?: unknown }): Hint {
  const east = Number(longitude ?? Number.NaN);
  if (continent === "EU") return east >= EASTERN_EUROPE ? "eeur" : "weur";
  if (continent === "NA") return east <= WESTERN_AMERICA ? "wnam" : "enam";
  return BY_CONTINENT[String(continent)] ?? "enam";
}
