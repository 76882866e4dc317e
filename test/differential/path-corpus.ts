import fc from "fast-check";

/** The target of a request line, and its method; characters stand for bytes (Latin-1), none of them a space or CR LF. */
export interface RequestLine {
  method: string;
  target: string;
}

const often = <T, U>(rare: fc.Arbitrary<T>, usual: fc.Arbitrary<U>, weight: number): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 1, arbitrary: rare }, { weight, arbitrary: usual });

const PREFIXES = [
  "/v2/epA",
  "/v2/epB",
  "/v2/web",
  "/v2/llm",
  "/v2/ruled",
  "/v2/foreign",
  "/any/a1",
  "/any/a2",
];
const OTHER_PREFIXES = [
  "/v2",
  "/any",
  "/any/epA",
  "/any/foreign",
  "/graphql",
  "",
  "/v2/EPA",
  "/V2/epA",
  "/v1/key",
];
const prefix = often(fc.constantFrom(...OTHER_PREFIXES), fc.constantFrom(...PREFIXES), 8);

const TAILS = [
  ...[
    "run",
    "runsync",
    "status/j1",
    "status-sync/j1",
    "stream/j1",
    "health",
    "requests",
    "cancel/j1",
    "retry/j1",
  ],
  ...["purge-queue", "openai/v1/models", "openai/v1/models/a%2Fb", "openai/v1/chat/completions", "batch"],
  ...["batch/b1", "batch/b1/requests", "batch/b1/requests/r1", "batch/b1/finalize", "batch/b1/cancel"],
  ...[
    "admin",
    "admin/x",
    "ADMIN/x",
    "Admin./x",
    "search/x",
    "files/x",
    "",
    "status/run",
    "status",
    "models",
    "chat",
  ],
];
const word = fc.constantFrom(
  ...["run", "status", "admin", "search", "epA", "epB", "v2", "foreign", "j1", "health", "cancel", "models"],
);
const DOTS = [
  "..",
  ".",
  "%2e%2e",
  "%2E%2e",
  ".%2e",
  "%2e",
  "..;",
  "..;a=b",
  "%2e%2e%3b",
  "...",
  "%252e%252e",
  "..%00",
];
const OVERLONG = [
  "%c0%ae%c0%ae",
  "%c0%af",
  "%e0%80%ae",
  "%c1%9c",
  "%ff",
  "%u002e",
  "%uff0e%uff0e",
  "\xc0\xae",
  "%ef%bc%8f",
];
const SLASHES = ["/", "/", "/", "/", "//", "\\", "%2f", "%2F", "%5c", "%252f", ";/", "/;/", "/./", "%2f%2f"];
const ODD = [
  "*",
  "%",
  "%2",
  "%zz",
  "%00",
  "%0d%0a",
  "%09",
  "%20",
  "+",
  "~",
  "'",
  "(",
  "!",
  "$&",
  "|",
  "^",
  "`",
  "{}",
  "\xe9",
];

const piece = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 3, arbitrary: fc.constantFrom(...DOTS) },
  { weight: 1, arbitrary: fc.constantFrom(...OVERLONG) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: word.map((text) => encodedAt(text, 1)) },
  { weight: 1, arbitrary: word.map((text) => text.toUpperCase()) },
  { weight: 1, arbitrary: word.map((text) => `${text};a=b`) },
);

function encodedAt(text: string, at: number): string {
  const hex = (text.charCodeAt(at) || 0x61).toString(16);
  return `${text.slice(0, at)}%${hex}${text.slice(at + 1)}`;
}

/** A way on, or back, or sideways. */
const wander = fc
  .array(fc.tuple(fc.constantFrom(...SLASHES), piece), { minLength: 1, maxLength: 4 })
  .map((steps) => steps.flat().join(""));

const edit = fc.record({
  at: fc.nat(),
  drop: fc.nat({ max: 1 }),
  add: fc.constantFrom(...SLASHES, ...DOTS, ...OVERLONG, ...ODD, ";", "?", "#", "%3f", "%23", "@", ":", "."),
});

function changed(text: string, edits: readonly { at: number; drop: number; add: string }[]): string {
  let result = text;
  for (const { at, drop, add } of edits) {
    const start = at % (result.length + 1);
    result = result.slice(0, start) + add + result.slice(start + drop);
  }
  return result;
}

const path = fc
  .tuple(
    prefix,
    often(
      wander,
      fc.constantFrom(...TAILS).map((tail) => (tail === "" ? "" : `/${tail}`)),
      3,
    ),
    often(wander, fc.constant(""), 6),
    often(fc.array(edit, { minLength: 1, maxLength: 2 }), fc.constant([]), 3),
  )
  .map(([start, tail, more, edits]) => changed(start + tail + more, edits));

const query = fc.oneof(
  { weight: 5, arbitrary: fc.constant("") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        "?",
        "?x=1",
        "?x=/status/j1",
        "?/../epB/run",
        "??",
        "?a=%2e%2e%2f",
        "?a=../../b",
        "?x='1'",
        "?x=\xe9",
      ],
      ...[
        "?_method=POST",
        "?method=DELETE",
        "?x=#/y",
        "?\\",
        "?api_key=x",
        "?a;b&c=%zz",
        "?path=/v2/epB/run",
      ],
    ),
  },
);

/** What is written before the path: nothing, or a whole URL. */
const form = often(
  fc.constantFrom(
    ...[
      "http://127.0.0.1",
      "http://evil.test",
      "https://gw.test",
      "HTTP://gw.test:80",
      "//evil.test",
      "http:",
      "*",
    ],
    "http://user@gw.test",
  ),
  fc.constant(""),
  20,
);

const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("GET", "POST") },
  { weight: 3, arbitrary: fc.constantFrom("HEAD", "PUT", "PATCH", "DELETE") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        "OPTIONS",
        "TRACE",
        "PROPFIND",
        "QUERY",
        "PURGE",
        "LINK",
        "get",
        "Post",
        "FOO",
        "MKCOL",
        "LOCK",
        "SEARCH",
      ],
    ),
  },
);

/** Request lines: what clients send, and every way of writing a path that somebody might read differently. */
export const requestLine: fc.Arbitrary<RequestLine> = fc
  .tuple(method, form, path, query)
  .map(([verb, before, where, asked]) => ({
    method: verb,
    target: before + (where.startsWith("/") || before !== "" ? where : `/${where}`) + asked,
  }));
