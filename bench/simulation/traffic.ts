import { Weighted } from "./zipf.ts";

export interface TrafficOptions {
  keys: number;
  /** Colos in the world, and how many of them are simulated. */
  colos: number;
  simulated: number;
  /** Share of a key's requests that arrive in its own colo; the rest arrive anywhere. */
  home: number;
  random: () => number;
}

/** Where a request arrives, and under which key. */
export interface Arrival {
  colo: number;
  key: number;
}

/**
 * Requests by Zipf's law (the n-th key has 1/n of the first one's), each key at home in one colo. Where only
 * some colos are simulated, these get exactly the requests they would get in the whole world.
 */
export class Traffic {
  readonly #random: () => number;
  readonly #colos: Weighted;
  readonly #anywhere: Weighted;
  readonly #atHome: (Weighted | null)[];
  readonly #home: number;
  readonly #keys: number;
  readonly #worldColos: number;
  readonly #shareAtHome: number[];
  /** Share of the world's requests that arrive in the simulated colos. */
  readonly share: number;

  constructor({ keys, colos, simulated, home, random }: TrafficOptions) {
    this.#random = random;
    this.#home = home;
    this.#keys = keys;
    this.#worldColos = colos;
    const ranks = Array.from({ length: keys }, (_, rank) => rank);
    this.#anywhere = new Weighted(
      ranks,
      ranks.map((rank) => 1 / (rank + 1)),
    );
    const residents: number[][] = Array.from({ length: simulated }, () => []);
    for (const rank of ranks) residents[homeOf(rank, colos)]?.push(rank);
    this.#atHome = residents.map((list) =>
      list.length === 0
        ? null
        : new Weighted(
            list,
            list.map((rank) => 1 / (rank + 1)),
          ),
    );
    const total = this.#anywhere.total;
    const fromHome = this.#atHome.map((weighted) => (home * (weighted?.total ?? 0)) / total);
    const fromAnywhere = (1 - home) / colos;
    this.#shareAtHome = fromHome.map((share) => share / (share + fromAnywhere));
    const weights = fromHome.map((share) => share + fromAnywhere);
    this.#colos = new Weighted([...weights.keys()], weights);
    this.share = this.#colos.total;
  }

  /** Which keys came by a colo at least once in so many requests of the whole world; 1 for each that did. */
  seenAfter(colo: number, requests: number, random: () => number): Uint8Array {
    const { total } = this.#anywhere;
    return Uint8Array.from({ length: this.#keys }, (_, rank) => {
      const here =
        (homeOf(rank, this.#worldColos) === colo ? this.#home : 0) + (1 - this.#home) / this.#worldColos;
      return random() < 1 - Math.exp((-requests * here) / (rank + 1) / total) ? 1 : 0;
    });
  }

  next(): Arrival {
    const colo = this.#colos.draw(this.#random());
    const atHome = this.#home > 0 && this.#random() < (this.#shareAtHome[colo] as number);
    const from = atHome ? (this.#atHome[colo] as Weighted) : this.#anywhere;
    return { colo, key: from.draw(this.#random()) };
  }
}

/** The colo a key is at home in: scattered, so that every colo has popular and rare ones. */
const homeOf = (rank: number, colos: number) => (Math.imul(rank + 1, 0x9e3779b1) >>> 0) % colos;
