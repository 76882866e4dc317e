import type { Permissions } from "./permissions.ts";

export type Environment = "production" | "test";

/** What a decision needs to know of a key, joined with its account; cached at the edge. Times in ms. */
export interface KeyRecord {
  id: string;
  /** SHA-256 of the key, lower-case hex. */
  hash: string;
  account_id: string;
  account_suspended: boolean;
  name: string;
  prefix: string;
  environment: Environment;
  permissions: Permissions;
  enabled: boolean;
  legacy: boolean;
  expires_at: number | null;
  revoked_at: number | null;
}
