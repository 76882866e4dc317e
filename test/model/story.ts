import type { House } from "./house.ts";
import type { Setting } from "./setting.ts";
import type { Owner } from "./sim.ts";

/** What a story may do: everything in it happens in the order told. */
export interface Teller {
  house: House;
  /** The messages of one that hold these texts arrive, one after the other. */
  let(owner: Owner, ...texts: string[]): Promise<void>;
  /** A message fails at once, and arrives only when `late` says so. */
  delay(owner: Owner, text: string): Promise<void>;
  late(): Promise<void>;
  /** One goes on to its end while all others wait. */
  finish(owner: Owner): Promise<void>;
  /** Everything that is under way arrives, but for what is late. */
  rest(): Promise<void>;
  pass(ms: number): Promise<void>;
}

export interface Story {
  (teller: Teller): Promise<void>;
  /** What is not usual about the house it happens in. */
  setting?: Partial<Setting>;
}

/** A story of an unusual house. */
export const where = (setting: Partial<Setting>, story: Story): Story => Object.assign(story, { setting });

/** The key that most stories are about, and a change that renames it. */
export const KEY = { sort: "key", which: 0 } as const;
export const RENAME = 9;
