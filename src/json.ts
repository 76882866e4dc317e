/**
 * A strict reader of JSON (RFC 8259), shared by the GraphQL gate and the management bodies.
 *
 * `JSON.parse` alone is not enough at a gate. It merges duplicate members silently (RFC 8259 section 4:
 * "unpredictable"; another reader may keep the *other* one), it rounds numbers to 64-bit floats, and its
 * messages quote the input, which may hold secrets. So one pass of our own checks the grammar, refuses
 * duplicate members and deep nesting, and remembers where in the source each top-level member lies. What has
 * to be forwarded unchanged is then forwarded as its own source text: digit for digit by construction.
 */

/** `maxDepth`: how many objects and arrays may be open at once. A scalar has depth 0, `{}` depth 1. */
export interface JsonLimits {
  maxDepth: number;
}

export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/** `message` says what is wrong and where ("line 1, column 7: …"), and quotes at most a member's name. */
export interface JsonFailure {
  ok: false;
  message: string;
}

/**
 * The top level of a JSON text, each part as its exact source text without the whitespace around it.
 * Member names are decoded (`"\u0061"` is `a`); a `Map`, so that `__proto__` is a name like any other.
 */
export type Outline =
  | { kind: "object"; members: Map<string, string> }
  | { kind: "array"; elements: string[] }
  | { kind: "scalar"; source: string };

/** Ignoring the BOM here means not swallowing it: it stays visible, and is refused below. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = 0xfeff;

/**
 * The text of UTF-8 bytes, or null where they are not UTF-8 (no replacement characters: two readers must not
 * see two texts) or begin with a byte order mark (RFC 8259 section 8.1: must not be added).
 */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    const text = utf8.decode(bytes);
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? null : text;
  } catch {
    return null;
  }
}

/** Checks the whole text, and gives the source text of its top-level members or elements. */
export function outline(text: string, limits: JsonLimits): ({ ok: true } & Outline) | JsonFailure {
  return new Scanner(text, limits.maxDepth, false).outline();
}

/**
 * The value of a JSON text without duplicate members. A member named `__proto__` is refused as well, at any
 * depth: `JSON.parse` makes it a harmless own property, but the next `Object.assign` would not.
 * Numbers are 64-bit floats; use `outline` where digits matter.
 */
export function parseStrict(text: string, limits: JsonLimits): { ok: true; value: JsonValue } | JsonFailure {
  const checked = new Scanner(text, limits.maxDepth, true).outline();
  return checked.ok ? { ok: true, value: JSON.parse(text) as JsonValue } : checked;
}

const FAILED = -1;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const FOUR_HEX_DIGITS = /^[0-9a-fA-F]{4}$/;
const SIMPLE_ESCAPES = '"\\/bfnrt';
const QUOTED_NAME_LENGTH = 40;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * A recursive-descent scanner, its recursion bounded by `maxDepth`. Every reading method takes the offset of
 * the first character and returns the offset after the last, or `FAILED` with `#failure` set.
 */
class Scanner {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #refuseProto: boolean;
  #failure = "";

  constructor(text: string, maxDepth: number, refuseProto: boolean) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#refuseProto = refuseProto;
  }

  outline(): ({ ok: true } & Outline) | JsonFailure {
    const start = this.#skipSpace(0);
    const members = new Map<string, string>();
    const elements: string[] = [];
    const end = this.#value(start, 0, members, elements);
    if (end === FAILED) return { ok: false, message: this.#failure };
    const rest = this.#skipSpace(end);
    if (rest < this.#text.length) {
      this.#fail(rest, "unexpected text after the end of the JSON value");
      return { ok: false, message: this.#failure };
    }
    switch (this.#text.charCodeAt(start)) {
      case OPEN_BRACE:
        return { ok: true, kind: "object", members };
      case OPEN_BRACKET:
        return { ok: true, kind: "array", elements };
      default:
        return { ok: true, kind: "scalar", source: this.#text.slice(start, end) };
    }
  }

  #value(start: number, depth: number, members?: Map<string, string>, elements?: string[]): number {
    switch (this.#text.charCodeAt(start)) {
      case QUOTE:
        return this.#string(start);
      case OPEN_BRACE:
        return this.#object(start, depth + 1, members);
      case OPEN_BRACKET:
        return this.#array(start, depth + 1, elements);
      case 0x74: // t
        return this.#literal(start, "true");
      case 0x66: // f
        return this.#literal(start, "false");
      case 0x6e: // n
        return this.#literal(start, "null");
      default:
        return this.#number(start);
    }
  }

  #object(start: number, depth: number, members: Map<string, string> | undefined): number {
    if (depth > this.#maxDepth) return this.#tooDeep(start);
    const text = this.#text;
    // Most objects are small: the set is made for the second member only.
    let firstName: string | undefined;
    let names: Set<string> | undefined;
    let at = this.#skipSpace(start + 1);
    if (text.charCodeAt(at) === CLOSE_BRACE) return at + 1;
    for (;;) {
      if (text.charCodeAt(at) !== QUOTE) return this.#fail(at, "expected a member name in double quotes");
      const nameEnd = this.#string(at);
      if (nameEnd === FAILED) return FAILED;
      const name = this.#name(at, nameEnd);
      if (name === null) return FAILED;
      if (firstName === undefined) firstName = name;
      else {
        names ??= new Set([firstName]);
        if (names.has(name)) return this.#fail(at, `duplicate member ${quoted(name)}`);
        names.add(name);
      }
      at = this.#skipSpace(nameEnd);
      if (text.charCodeAt(at) !== COLON) return this.#fail(at, "expected a colon after the member name");
      const valueStart = this.#skipSpace(at + 1);
      const valueEnd = this.#value(valueStart, depth);
      if (valueEnd === FAILED) return FAILED;
      members?.set(name, text.slice(valueStart, valueEnd));
      at = this.#skipSpace(valueEnd);
      const next = text.charCodeAt(at);
      if (next === CLOSE_BRACE) return at + 1;
      if (next !== COMMA) return this.#fail(at, "expected a comma or the end of the object");
      at = this.#skipSpace(at + 1);
    }
  }

  #array(start: number, depth: number, elements: string[] | undefined): number {
    if (depth > this.#maxDepth) return this.#tooDeep(start);
    const text = this.#text;
    let at = this.#skipSpace(start + 1);
    if (text.charCodeAt(at) === CLOSE_BRACKET) return at + 1;
    for (;;) {
      const end = this.#value(at, depth);
      if (end === FAILED) return FAILED;
      elements?.push(text.slice(at, end));
      at = this.#skipSpace(end);
      const next = text.charCodeAt(at);
      if (next === CLOSE_BRACKET) return at + 1;
      if (next !== COMMA) return this.#fail(at, "expected a comma or the end of the array");
      at = this.#skipSpace(at + 1);
    }
  }

  #string(start: number): number {
    const text = this.#text;
    let at = start + 1;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      if (code === BACKSLASH) {
        const size = this.#escapeSize(at);
        if (size === 0) return this.#fail(at, "invalid escape sequence in a string");
        at += size;
      } else if (code >= 0x20) at += 1;
      // NaN past the end fails every comparison above.
      else return this.#fail(at, at < text.length ? "control character in a string" : "unterminated string");
    }
  }

  /** The length of the escape sequence that starts at this backslash, or 0. */
  #escapeSize(at: number): number {
    const letter = this.#text.charAt(at + 1);
    if (letter === "u") return FOUR_HEX_DIGITS.test(this.#text.slice(at + 2, at + 6)) ? 6 : 0;
    return letter !== "" && SIMPLE_ESCAPES.includes(letter) ? 2 : 0;
  }

  /** The decoded member name between these offsets, or null (failed). */
  #name(start: number, end: number): string | null {
    let name = this.#text.slice(start + 1, end - 1);
    if (name.includes("\\")) name = JSON.parse(this.#text.slice(start, end)) as string;
    // RFC 8259 section 8.2: readers disagree about unpaired surrogates, so two names could become one.
    if (!name.isWellFormed()) {
      this.#fail(start, "unpaired surrogate in a member name");
      return null;
    }
    if (this.#refuseProto && name === "__proto__") {
      this.#fail(start, 'member "__proto__" is not allowed');
      return null;
    }
    return name;
  }

  #number(start: number): number {
    NUMBER.lastIndex = start;
    if (NUMBER.test(this.#text)) return NUMBER.lastIndex;
    return this.#fail(
      start,
      start < this.#text.length ? "expected a JSON value" : "unexpected end of the text",
    );
  }

  #literal(start: number, word: string): number {
    return this.#text.startsWith(word, start)
      ? start + word.length
      : this.#fail(start, "expected a JSON value");
  }

  #skipSpace(start: number): number {
    let at = start;
    for (;;) {
      const code = this.#text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
      at += 1;
    }
  }

  #tooDeep(at: number): number {
    return this.#fail(at, `nested deeper than ${this.#maxDepth} levels`);
  }

  #fail(at: number, what: string): typeof FAILED {
    const before = this.#text.slice(0, at);
    const lineStart = before.lastIndexOf("\n") + 1;
    const line = lineStart === 0 ? 1 : before.split("\n").length;
    this.#failure = `line ${line}, column ${at - lineStart + 1}: ${what}`;
    return FAILED;
  }
}

/** A member name for a message: escaped, and cut short. */
function quoted(name: string): string {
  return JSON.stringify(name.length > QUOTED_NAME_LENGTH ? `${name.slice(0, QUOTED_NAME_LENGTH)}…` : name);
}

/** Whether two values are the same once they are JSON. */
export const sameJson = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
