import type { Endpoint, EndpointNode } from "../endpoints/endpoint.ts";
import { ID } from "../endpoints/endpoint.ts";
import { canMatch, MAX_PREFIX_SEGMENTS } from "../endpoints/path.ts";
import { readings, SPELLINGS } from "./readings.ts";

/** The endpoint a path leads to. */
export interface Match {
  endpoint: Endpoint;
  /** The endpoint's id; under a wildcard, the segment that stood for it. */
  id: string;
  /** How many segments the prefix took; the rest is the tail. */
  depth: number;
  /** Whether a wildcard matched: then the id is part of the upstream path. */
  wildcard: boolean;
}

/** Looks a node of the path tree up; "unavailable" when that cannot be trusted. */
export type NodeLookup = (path: string) => Promise<EndpointNode | "unavailable">;

/**
 * Longest matching prefix; at the same length a named segment wins over the wildcard. Walks the path tree
 * down only as far as longer prefixes exist.
 */
export async function match(
  segments: readonly string[],
  lookup: NodeLookup,
): Promise<Match | null | "unavailable"> {
  const nodes = new Map<string, EndpointNode>();
  for (;;) {
    const found = walk(segments, (path) => nodes.get(path));
    if (found === null || "endpoint" in found) return found;
    const node = await lookup(found.missing);
    if (node === "unavailable") return "unavailable";
    nodes.set(found.missing, node);
  }
}

/** The same over nodes that are at hand, or which node it takes to go on. */
export function walk(segments: readonly string[], nodeAt: NodeAt): Match | null | { missing: string } {
  const found = longest(segments, nodeAt);
  if (found === null || "missing" in found) return found;
  const isRespelled = found.wildcard && found.id !== found.id.toLowerCase();
  if (!found.hasLonger && !isRespelled) return found;
  // An origin that reads the rest otherwise would be at what another record stands for: whose is not said.
  const depth = isRespelled ? found.depth - 1 : found.depth;
  const head = segments.slice(0, depth);
  for (const tail of readings(segments.slice(depth))) {
    for (const spelling of SPELLINGS) {
      const other = longest([...head, ...tail.map(spelling)], nodeAt);
      if (other === null || "missing" in other) return other;
      if (other.depth > found.depth || other.endpoint.id !== found.endpoint.id) return null;
    }
  }
  return found;
}

type NodeAt = (path: string) => EndpointNode | undefined;

/** The longest prefix of a path exactly as it is spelled, and whether there are longer ones below it. */
function longest(
  segments: readonly string[],
  nodeAt: NodeAt,
): (Match & { hasLonger: boolean }) | null | { missing: string } {
  let best: (Match & { hasLonger: boolean }) | null = null;
  let wildcard: Endpoint | null = null;
  let path = "";
  for (let depth = 1; depth <= MAX_PREFIX_SEGMENTS; depth += 1) {
    const segment = segments[depth - 1];
    if (segment === undefined || !canMatch(segment)) break;
    path += `/${segment}`;
    const node = nodeAt(path);
    if (node === undefined) return { missing: path };
    const hasLonger = node.below || node.wildcard !== null;
    if (node.self !== null) {
      best = { endpoint: node.self, id: node.self.id, depth, wildcard: false, hasLonger };
    } else if (wildcard !== null && ID.test(segment) && !node.taken) {
      best = { endpoint: wildcard, id: segment, depth, wildcard: true, hasLonger };
    } else if (wildcard !== null && node.taken) {
      // An id with a record of its own is never served by the wildcard (spec 2.3), nor by a shorter prefix.
      best = null;
    }
    wildcard = node.wildcard;
    if (wildcard === null && !node.below) break;
  }
  return best;
}
