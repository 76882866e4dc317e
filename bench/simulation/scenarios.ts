import type { Scenario } from "./simulate.ts";

/** A world, the part of it that is simulated request by request, and how its usage tracking is driven. */
export interface World {
  name: string;
  /** What is turned on: nothing, or relays and the location's cache. */
  shape: "direct" | "relays";
  isolates: number;
  rate: number;
  home: number;
  relays: number;
  shards: number;
  /** How long usage tracking is looked at. */
  usage: { seconds: number };
  slice: Pick<Scenario, "simulated" | "isolatesPerColo" | "warmUp" | "seconds">;
}

export const COLOS = 100;
export const KEYS = 1_000_000;
/** How long each location's cache has been filling when counting begins. */
export const WARM_HOURS = 72;

const DIRECT = { shape: "direct", relays: 0, shards: 4 } as const;
/** Four relays in each of eight regions, and as many shards as their traffic is spread over. */
const RELAYS = { shape: "relays", relays: 32, shards: 8 } as const;
const THOUSAND = { isolates: 1000 };

/** A full hour, with one flush of everything in it. */
const USAGE = { seconds: 3600 };

const slices = {
  1000: { simulated: 10, isolatesPerColo: 10, warmUp: 3000, seconds: 10_000 },
  10000: { simulated: 5, isolatesPerColo: 10, warmUp: 1200, seconds: 2400 },
  100000: { simulated: 3, isolatesPerColo: 10, warmUp: 600, seconds: 400 },
  1000000: { simulated: 1, isolatesPerColo: 100, warmUp: 60, seconds: 120 },
} as const;

export const WORLDS: World[] = [
  ...([1000, 10_000, 100_000] as const).flatMap((rate) => [
    { name: "at home", ...THOUSAND, ...DIRECT, rate, home: 0.9, slice: slices[rate], usage: USAGE },
    { name: "at home", ...THOUSAND, ...RELAYS, rate, home: 0.9, slice: slices[rate], usage: USAGE },
  ]),
  {
    name: "anywhere",
    ...THOUSAND,
    ...RELAYS,
    rate: 100_000,
    home: 0,
    slice: slices[100_000],
    usage: USAGE,
  },
  ...[0.9, 0].map(
    (home): World => ({
      name: home > 0 ? "at home" : "anywhere",
      isolates: 10_000,
      shape: "relays",
      relays: 96,
      shards: 32,
      rate: 1_000_000,
      home,
      slice: slices[1_000_000],
      // So many requests that hours are not waited for.
      usage: { seconds: 900 },
    }),
  ),
];
