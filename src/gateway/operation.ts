import type { Denial } from "../denial.ts";
import type { Endpoint, OperationRule } from "../endpoints/endpoint.ts";
import { decodedParts, hasEncodedSlash, type RequestUrl, soundWhenDecoded } from "../http/url.ts";
import { readings, SPELLINGS, type Spelling } from "./readings.ts";

/** What a request does on an endpoint. `inspect` leaves the answer to the GraphQL document. */
export type Operation = "read" | "write" | "inspect";

/** Methods Postern knows; `OPTIONS` never reaches this room. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** What `Allow` says where every method may be used. */
export const ALL_METHODS: readonly string[] = [...METHODS, "OPTIONS"];

/** Whether a method is known at all (spec 2.4). */
export function isKnownMethod(method: string): boolean {
  return ALL_METHODS.includes(method);
}

type Table = readonly (readonly [method: string, pattern: string, access: "read" | "write"])[];

/** Runpod's job queue (spec 2.4). `*` is one segment; at the end, one or more. */
const SERVERLESS: Table = [
  ["GET", "status/*", "read"],
  ["POST", "status/*", "read"],
  ["GET", "status-sync/*", "read"],
  ["POST", "status-sync/*", "read"],
  ["GET", "stream/*", "read"],
  ["POST", "stream/*", "read"],
  ["GET", "health", "read"],
  ["GET", "requests", "read"],
  ["GET", "openai/v1/models", "read"],
  ["GET", "openai/v1/models/*", "read"],
  ["GET", "batch", "read"],
  ["GET", "batch/*", "read"],
  ["GET", "batch/*/requests", "read"],
  ["POST", "run", "write"],
  ["POST", "runsync", "write"],
  ["POST", "cancel/*", "write"],
  ["POST", "retry/*", "write"],
  ["POST", "purge-queue", "write"],
  ["POST", "openai/v1/**", "write"],
  ["POST", "batch", "write"],
  ["PUT", "batch/*", "write"],
  ["POST", "batch/*/requests", "write"],
  ["DELETE", "batch/*/requests/*", "write"],
  ["POST", "batch/*/finalize", "write"],
  ["POST", "batch/*/cancel", "write"],
];

type Patterns = readonly { method: string; pattern: readonly string[]; access: "read" | "write" }[];

const patternsOf = (table: Table): Patterns =>
  table.map(([method, pattern, access]) => ({ method, pattern: pattern.split("/"), access }));

const SERVERLESS_PATTERNS = patternsOf(SERVERLESS);

/** Whether a pattern covers a path: `*` is exactly one segment, a last `**` is one or more. */
function covers(pattern: readonly string[], path: readonly string[]): boolean {
  const open = pattern.at(-1) === "**";
  if (open ? path.length < pattern.length : path.length !== pattern.length) return false;
  return pattern.every((part, i) => part === "*" || part === "**" || part === path[i]);
}

/**
 * What a request does, or why it can do nothing.
 * @param tail the path below the endpoint's prefix, segments as sent
 * @param upgrade whether it is a WebSocket handshake
 */
export function classify(
  endpoint: Endpoint,
  method: string,
  url: RequestUrl,
  tail: readonly string[],
  upgrade: boolean,
): Operation | Denial {
  const problem = tailProblem(endpoint, url, tail);
  if (problem !== null) return problem;
  // A rule for GET is about reading a page, not about opening a two-way channel.
  const rules = upgrade ? [] : (endpoint.operations ?? []);
  if (rules.length === 0) return byProtocol(endpoint, method, tail, upgrade);
  const paths = readings(tail, url.trailingSlash);
  const ruled = byRules(rules, method, paths);
  if (ruled !== null) return ruled;
  const otherwise = byProtocol(endpoint, method, tail, upgrade);
  if (typeof otherwise === "string") return otherwise;
  // No such method there: but the rules may know others.
  const known = METHODS.filter((each) => byRules(rules, each, paths) !== null);
  if (known.length === 0) return otherwise;
  const allow = otherwise.code === "method_not_allowed" ? otherwise.allow : ["OPTIONS"];
  return { code: "method_not_allowed", allow: [...new Set([...known, ...allow])] };
}

/** What a protocol says of a request, apart from the endpoint's own rules. */
function byProtocol(
  endpoint: Endpoint,
  method: string,
  tail: readonly string[],
  upgrade: boolean,
): Operation | Denial {
  switch (endpoint.protocol) {
    case "serverless":
      return byTable(SERVERLESS_PATTERNS, method, tail);
    case "graphql":
      if (tail.length > 0) return { code: "not_found" };
      if (upgrade) return "write";
      return method === "GET" || method === "POST"
        ? "inspect"
        : { code: "method_not_allowed", allow: ["GET", "POST", "OPTIONS"] };
    case "openai":
    case "http":
      return upgrade || (method !== "GET" && method !== "HEAD") ? "write" : "read";
  }
}

/** Where a trailing or an encoded slash is not legal (spec 2.3). */
function tailProblem(endpoint: Endpoint, url: RequestUrl, tail: readonly string[]): Denial | null {
  if (endpoint.protocol === "openai" || endpoint.protocol === "http") return null;
  if (url.trailingSlash) return { code: "invalid_request", detail: "The path must not end in a slash" };
  const model =
    endpoint.protocol === "serverless" && tail.slice(0, 3).join("/") === "openai/v1/models" ? 3 : -1;
  return tail.some((segment, i) => i !== model && hasEncodedSlash(segment))
    ? { code: "invalid_request", detail: "The path holds an encoded slash where none is allowed" }
    : null;
}

/** What a table says of a request; what it does not list does not exist. */
function byTable(table: Patterns, method: string, tail: readonly string[]): Operation | Denial {
  const known = table.filter(({ pattern }) => covers(pattern, tail));
  if (known.length === 0) return { code: "not_found" };
  const operation = known.find((row) => row.method === method);
  if (operation !== undefined) return operation.access;
  const allow = [...new Set(known.map((row) => row.method))];
  return { code: "method_not_allowed", allow: [...allow, "OPTIONS"] };
}

/** First match wins; where a path may mean several things, the strictest answer holds. */
function byRules(
  rules: readonly OperationRule[],
  method: string,
  readings: readonly (readonly string[])[],
): Operation | null {
  const answers = readings.flatMap((sent) =>
    SPELLINGS.map((spelling) => {
      const path = sent.map(spelling);
      return rules.find((rule) => ruleCovers(rule, method, path, spelling))?.access ?? null;
    }),
  );
  if (answers.includes("write")) return "write";
  return answers.every((answer) => answer === "read") ? "read" : null;
}

/**
 * In an endpoint's own rules a last `*` stands for everything below, as people expect of `/search/*`; `/*` for
 * everything there is, the prefix itself included, which `/` alone stands for.
 */
function ruleCovers(
  rule: OperationRule,
  method: string,
  path: readonly string[],
  spelling: Spelling,
): boolean {
  // HEAD runs what GET runs, less the body (RFC 9110 section 9.3.2).
  if (rule.method !== method && !(rule.method === "GET" && method === "HEAD")) return false;
  if (path.every((part) => part === "") && /^\/\*?$/.test(rule.path)) return true;
  return patternsOfRule(rule).some((pattern) => covers(pattern.map(spelling), path));
}

/** A rule's pattern as it is written and, where that is encoded, as what it means. */
function patternsOfRule({ path, access }: OperationRule): (readonly string[])[] {
  const sent = path.replace(/^\//, "").split("/");
  const all = [open(sent)];
  if (path.includes("%") && sent.every(soundWhenDecoded)) {
    const meant = decodedParts(sent);
    // An encoded star is no wildcard: as one it may only make a rule stricter.
    if (access === "write" || meant.every((part, i) => part !== "*" || sent[i] === "*"))
      all.push(open(meant));
  }
  return all;
}

/** A last `*` is one or more segments. */
const open = (pattern: readonly string[]) =>
  pattern.at(-1) === "*" ? [...pattern.slice(0, -1), "**"] : pattern;
