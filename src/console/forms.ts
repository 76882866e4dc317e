import { timingSafeEqual } from "node:crypto";
import { readCapped } from "../http/read-capped.ts";
import { decodeUtf8 } from "../json.ts";
import { Problem } from "./api.ts";

/** Names of the fields that every form carries (`<Form>` adds them). */
export const TOKEN_FIELD = "form_token";
export const ACCOUNT_FIELD = "form_account";
export const CONFIRMED_FIELD = "confirmed";

/** Largest body of fields, and of fields with a file; bytes. */
const MAX_FIELDS = 256 * 1024;
const MAX_FILE = 16 * 1024 * 1024;

/** The fields of a posted form. Absent is the same as empty. */
export class Fields {
  readonly #fields: readonly (readonly [name: string, value: string | File])[];

  constructor(fields: Iterable<readonly [string, string | File]> = []) {
    this.#fields = [...fields];
  }

  /** A field's text, trimmed, with line ends as \n. */
  text(name: string): string {
    return (this.all(name)[0] ?? "").trim();
  }

  /** Every value under a name. */
  all(name: string): string[] {
    return this.#fields.flatMap(([field, value]) =>
      field === name && typeof value === "string" ? [value.replaceAll("\r\n", "\n")] : [],
    );
  }

  /** Whether a box is ticked, or a button was the one pressed. */
  has(name: string): boolean {
    return this.#fields.some(([field]) => field === name);
  }

  file(name: string): File | null {
    const found = this.#fields.find(([field, value]) => field === name && typeof value !== "string");
    return (found?.[1] as File | undefined) ?? null;
  }

  /** Names and text values that are the form's own, for a form that asks "are you sure?" and sends them again. */
  entries(): [string, string][] {
    const ours = new Set([TOKEN_FIELD, ACCOUNT_FIELD, CONFIRMED_FIELD]);
    return this.#fields.flatMap(([name, value]): [string, string][] =>
      ours.has(name) || typeof value !== "string" ? [] : [[name, value]],
    );
  }
}

/** Reads a form's body, bounded. */
export async function readForm(request: Request, kind: "fields" | "file"): Promise<Fields | Problem> {
  const type = (request.headers.get("content-type") ?? "").toLowerCase();
  const wanted = kind === "file" ? "multipart/form-data" : "application/x-www-form-urlencoded";
  if (type.split(";")[0]!.trim() !== wanted)
    return new Problem(415, "unsupported_media_type", "That is not a form");
  const charsets = [...type.matchAll(/;\s*charset\s*=\s*"?([^";\s]*)/g)].map(([, charset]) => charset);
  const coding = request.headers.get("content-encoding") ?? "identity";
  if (charsets.some((charset) => charset !== "utf-8") || coding.toLowerCase() !== "identity") {
    return new Problem(415, "unsupported_media_type", "A form comes as it is, in UTF-8");
  }
  const most = kind === "file" ? MAX_FILE : MAX_FIELDS;
  const bytes = await readCapped(request.body, most);
  if (bytes === "too_large") {
    return new Problem(413, "body_too_large", `The form is larger than ${Math.floor(most / 1024)} KiB`);
  }
  if (kind === "fields") {
    const text = decodeUtf8(bytes);
    return text === null
      ? new Problem(400, "invalid_request", "The form is not UTF-8")
      : new Fields(new URLSearchParams(text));
  }
  try {
    const headers = { "content-type": request.headers.get("content-type")! };
    return new Fields(await new Response(bytes as Uint8Array<ArrayBuffer>, { headers }).formData());
  } catch {
    return new Problem(400, "invalid_request", "The form cannot be read");
  }
}

/**
 * Whether a browser says that one of our own pages sent this. `Sec-Fetch-Site` tells the site, `Origin` the
 * page; one must be there, and neither may say otherwise.
 */
export function isOwnPost(headers: Headers, origin: string): boolean {
  const site = headers.get("sec-fetch-site");
  const from = headers.get("origin");
  if (site === null && from === null) return false;
  return (site === null || site === "same-origin") && (from === null || from === origin);
}

/** Compares a posted form token with the session's, in constant time. */
export function sameToken(posted: string, expected: string): boolean {
  const [a, b] = [new TextEncoder().encode(posted), new TextEncoder().encode(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
