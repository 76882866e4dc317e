import { type Api, ID } from "./endpoint.ts";

/** Longest prefix an endpoint may have, in segments (spec 2.3). */
export const MAX_PREFIX_SEGMENTS = 3;

// What a segment of a prefix may hold: nothing that needs or bears percent-encoding, no dot first.
const SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}$/;

/** The gateway's own routes; they win over endpoints, so no endpoint may be registered on them. */
export const OWN_ROUTES = [
  "/admin",
  "/console",
  "/docs",
  "/healthz",
  "/openapi.json",
  "/v1/account",
  "/v1/key",
  "/v1/kubernetes",
  "/webhooks",
  "/.well-known",
] as const;

const OWN_SEGMENTS = OWN_ROUTES.map((route) => route.slice(1).split("/"));

/** Whether a request's path lies at or below one of the gateway's own routes. */
export function isOwnRoute(segments: readonly string[]): boolean {
  return OWN_SEGMENTS.some((own) => own.every((segment, i) => segments[i] === segment));
}

/** Why a path cannot be a prefix. */
export type PathProblem = { code: "invalid_request" | "path_reserved"; detail: string };

/** Judges a path at registration: its shape, and that it does not cover the gateway's own routes. */
export function pathProblem(path: string): PathProblem | null {
  if (!path.startsWith("/")) return { code: "invalid_request", detail: "path must start with a slash" };
  const segments = path.slice(1).split("/");
  if (segments.length > MAX_PREFIX_SEGMENTS) {
    return { code: "invalid_request", detail: `path must have at most ${MAX_PREFIX_SEGMENTS} segments` };
  }
  const wildcard = segments.at(-1) === "*";
  const named = wildcard ? segments.slice(0, -1) : segments;
  if (OWN_SEGMENTS.some((own) => overlaps(segments, own))) {
    return { code: "path_reserved", detail: `path ${path} belongs to the gateway itself` };
  }
  if (!named.every((segment) => SEGMENT.test(segment))) {
    return {
      code: "invalid_request",
      detail: "path segments must match [A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}",
    };
  }
  return null;
}

/** Whether a prefix lies at, below, or (by its wildcard) over a route of the gateway's own. */
function overlaps(segments: readonly string[], own: readonly string[]): boolean {
  if (segments.at(-1) === "*" && segments.length <= own.length) {
    return segments.slice(0, -1).every((segment, i) => segment === own[i]);
  }
  return own.every((segment, i) => segments[i] === segment || (segments[i] === "*" && i === own.length - 1));
}

/** Where an endpoint is reached when its record names no path (spec 2.3). */
export function defaultPath(api: Api, id: string): string {
  if (api === "inference") return `/v2/${id}`;
  return id === "graphql" ? "/graphql" : `/graphql/${id}`;
}

/** Whether a path prefix ends in the wildcard segment. */
export function isWildcard(path: string): boolean {
  return path.endsWith("/*");
}

/** Whether a request's segment can name part of a prefix or a wildcard's id; others match nothing. */
export function canMatch(segment: string): boolean {
  return SEGMENT.test(segment);
}

/** The ids whose registration changes what a path node means: see `EndpointNode.taken`. */
export function idOfNode(path: string): string | null {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return ID.test(last) ? last : null;
}

/**
 * The nodes of the path tree that an endpoint at `path` shows in: its own (for `/v2/*`, its parent's)
 * and every one above, whose `below` it sets.
 */
export function nodesOf(path: string): string[] {
  const base = isWildcard(path) ? path.slice(0, -2) : path;
  const segments = base.slice(1).split("/");
  return segments.map((_, i) => `/${segments.slice(0, i + 1).join("/")}`);
}
