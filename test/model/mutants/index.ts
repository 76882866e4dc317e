import { ALARM_MUTANTS } from "./alarm.ts";
import { CHANGE_MUTANTS } from "./change.ts";
import { ISOLATE_MUTANTS } from "./isolate.ts";
import { LEASE_MUTANTS } from "./lease.ts";
import { LEDGER_MUTANTS } from "./ledger.ts";
import type { Mutant } from "./mutant.ts";
import { RELAYS_MUTANTS } from "./relays.ts";
import { STEPS_MUTANTS } from "./steps.ts";
import { USES_MUTANTS } from "./uses.ts";

/**
 * Every step and condition of the protocol taken out or bent, one at a time. What is there for the compiler
 * alone has none, nor has what only spares an isolate some work of its own.
 */
export const MUTANTS: Mutant[] = [
  ...RELAYS_MUTANTS,
  ...STEPS_MUTANTS,
  ...LEASE_MUTANTS,
  ...ISOLATE_MUTANTS,
  ...CHANGE_MUTANTS,
  ...LEDGER_MUTANTS,
  ...ALARM_MUTANTS,
  ...USES_MUTANTS,
];
