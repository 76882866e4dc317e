import type { SomeEndpoint } from "./in-process.ts";

/** The endpoints of the path tests; each forwards to a directory of its own. `base` is the origin, no slash. */
export function endpointsAt(base: string): SomeEndpoint[] {
  return [
    { id: "epA", protocol: "serverless", origin: `${base}/a` },
    { id: "epB", protocol: "serverless", origin: `${base}/b` },
    { id: "web", protocol: "http", origin: `${base}/web` },
    { id: "llm", protocol: "openai", origin: `${base}/v1` },
    {
      id: "ruled",
      protocol: "http",
      origin: `${base}/ruled`,
      operations: [
        { method: "GET", path: "/admin/*", access: "write" },
        { method: "GET", path: "/admin", access: "write" },
        { method: "POST", path: "/search/*", access: "read" },
      ],
    },
    { id: "foreign", protocol: "http", origin: `${base}/foreign`, account_id: "other" },
    { id: "any", protocol: "serverless", path: "/any/*", origin: `${base}/any` },
  ];
}

/** Keys by what they hold: access per endpoint id. */
export const HOLDINGS = {
  "reads epA": { epA: "read" },
  "writes epA": { epA: "read_write" },
  "reads web, llm and ruled": { web: "read", llm: "read", ruled: "read" },
  "reads a1": { a1: "read" },
  "writes everything it sees": {},
} as const satisfies Record<string, Record<string, "read" | "read_write">>;
export type Holding = keyof typeof HOLDINGS;

/** The directory an endpoint lives in at the origin. */
const DIRECTORIES: Record<string, string> = {
  a: "epA",
  b: "epB",
  web: "web",
  v1: "llm",
  ruled: "ruled",
  foreign: "foreign",
};

/**
 * What is wrong with a request that arrived, or null: it must be for an endpoint and an operation that the
 * key holds, however an origin reads its path. Written from the specification's table (2.4) and not from the
 * gateway's code; it knows nothing of the request that the client sent.
 */
export function violation(holding: Holding, method: string, target: string): string | null {
  if (!/^\/[\x21-\x7e]*$/.test(target)) return "not an origin-form target";
  for (const path of readings(target.split("?", 1)[0]!)) {
    const problem = beyond(holding, method, path);
    if (problem !== null) return `${problem}, read as ${path.join("/")}`;
  }
  return null;
}

/**
 * Every way origins in the field read a path: as it is; decoded, once; with backslashes for slashes; without
 * path parameters; with dot segments resolved and empty ones dropped. Each as a list of segments.
 */
function readings(path: string): string[][] {
  const texts = new Set([path]);
  for (const change of [
    (text: string) => loosely(text),
    (text: string) => text.replaceAll("\\", "/"),
    (text: string) => text.replace(/;[^/]*/g, ""),
    (text: string) => text.split("\0", 1)[0]!,
  ]) {
    for (const text of [...texts]) texts.add(change(text));
  }
  return [...texts].map((text) => {
    const segments: string[] = [];
    for (const segment of text.split("/")) {
      if (segment === "..") segments.pop();
      else if (segment !== "" && segment !== ".") segments.push(segment);
    }
    return segments;
  });
}

/** Decodes every escape by itself, also where it is no UTF-8, and overlong forms as old decoders did. */
function loosely(text: string): string {
  return text
    .replace(/%c0%ae|%e0%80%ae/gi, ".")
    .replace(/%c0%af|%e0%80%af/gi, "/")
    .replace(/%c1%9c/gi, "\\")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function beyond(holding: Holding, method: string, path: readonly string[]): string | null {
  const [directory = "", ...rest] = path;
  const [id, tail] =
    directory === "any" ? [rest[0] ?? "", rest.slice(1)] : [DIRECTORIES[directory] ?? "", rest];
  if (id === "" || id === "foreign") return `arrived at /${directory}`;
  if (directory === "any" && Object.values(DIRECTORIES).includes(id)) return `${id} by the wildcard`;
  const held = holding === "writes everything it sees" ? "read_write" : heldOn(holding, id);
  if (held === undefined) return `arrived at ${id}`;
  const needed = neededFor(directory === "any" ? "serverless" : id, method, tail);
  if (needed === null) return `${method} is no operation of ${id}`;
  return needed === "write" && held === "read" ? `a write on ${id}` : null;
}

function heldOn(holding: Holding, id: string): "read" | "read_write" | undefined {
  const held: Record<string, "read" | "read_write"> = HOLDINGS[holding];
  return Object.hasOwn(held, id) ? held[id] : undefined;
}

/** Runpod's queue, line by line as the specification prints it. */
const QUEUE: [method: RegExp, path: RegExp, access: "read" | "write"][] = [
  [/^(GET|POST)$/, /^(status|status-sync|stream)\/[^/]+$/, "read"],
  [/^GET$/, /^(health|requests|batch)$/, "read"],
  [/^GET$/, /^openai\/v1\/models(\/.+)?$/, "read"],
  [/^GET$/, /^batch\/[^/]+(\/requests)?$/, "read"],
  [/^POST$/, /^(run|runsync|purge-queue|batch)$/, "write"],
  [/^POST$/, /^(cancel|retry)\/[^/]+$/, "write"],
  [/^POST$/, /^openai\/v1\/.+$/, "write"],
  [/^PUT$/, /^batch\/[^/]+$/, "write"],
  [/^POST$/, /^batch\/[^/]+\/(requests|finalize|cancel)$/, "write"],
  [/^DELETE$/, /^batch\/[^/]+\/requests\/[^/]+$/, "write"],
];

function neededFor(id: string, method: string, tail: readonly string[]): "read" | "write" | null {
  const path = tail.join("/");
  switch (id) {
    case "epA":
    case "epB":
    case "serverless":
      return QUEUE.find(([verb, pattern]) => verb.test(method) && pattern.test(path))?.[2] ?? null;
    case "ruled":
      if (method === "POST" && /^search\/./.test(path)) return "read";
      // Many servers route without regard to case, and some drop dots and spaces at the end of a name.
      if ((method === "GET" || method === "HEAD") && /^admin[. ]*$/i.test(tail[0] ?? "")) return "write";
  }
  if (!/^(GET|HEAD|POST|PUT|PATCH|DELETE)$/.test(method)) return null;
  return method === "GET" || method === "HEAD" ? "read" : "write";
}
