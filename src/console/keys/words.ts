import type { Access, Permissions } from "../../keys/permissions.ts";
import { parseScopes } from "../../keys/scopes.ts";
import type { KeyView } from "../../keys/view.ts";
import type { Tone } from "../components.tsx";

export const STATUS_TONES: Record<KeyView["status"], Tone> = {
  active: "good",
  disabled: "plain",
  expired: "warn",
  revoked: "bad",
};

export const STATUS_LABELS: Record<KeyView["status"], string> = {
  active: "Active",
  disabled: "Disabled",
  expired: "Expired",
  revoked: "Revoked",
};

export const ENVIRONMENT_LABELS: Record<KeyView["environment"], string> = {
  production: "Production",
  test: "Test",
};

/** Runpod's words. */
export const PERMISSION_LABELS: Record<KeyView["permission"], string> = {
  read_write: "Read/Write",
  read_only: "Read Only",
  restricted: "Restricted",
  legacy: "Legacy",
};

export const ACCESS_LABELS: Record<Access, string> = {
  none: "None",
  read: "Read Only",
  read_write: "Read/Write",
};

/** What scopes mean. Those of a stored key always parse; where they should not, they allow nothing. */
export function permissionsOf(scopes: unknown): Permissions {
  const parsed = parseScopes(scopes);
  return parsed.ok ? parsed.permissions : { graphql: "none", inference: "none", kubernetes_exec: "none" };
}

/** A sentence of the API, for a person: a capital at the start, the field's name as the page has it, no route. */
export function forPeople(detail: string): string {
  const text = detail
    .replace(/^expires_at /, "expiry ")
    .replace(/\. GET \/v1\/\S+ lists those there are$/, "")
    .replace(/^scopes\.restricted\.graphql\.\w+\[(\d+)\] /, (_, at) => `name ${Number(at) + 1} of the list `);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1 key`, `2 keys`. */
export const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
