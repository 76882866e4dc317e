import * as z from "zod/mini";
import { check } from "../api/problem.ts";
import { ok } from "../api/reply.ts";
import { publicRoute } from "../api/route.ts";
import { isDenial } from "../denial.ts";
import { readCapped } from "../http/read-capped.ts";
import { decodedAscii } from "../journey/credential.ts";
import { decodeUtf8, parseStrict } from "../json.ts";
import { sha256Hex } from "../keys/hash.ts";
import { within } from "../store/retry.ts";
import { revokeLeaked } from "./revoke-leaked.ts";
import { claimedSignature, findSigner, isSigned } from "./signature.ts";

/** Ten thousand tokens with long URLs, and some to spare. */
const MAX_BODY = 8 * 1024 * 1024;
/** Longest wait for the whole body, in ms. */
const BODY_PATIENCE = 30_000;
const MAX_DEPTH = 4;

/** What the partner sends; members it adds one day are not ours to refuse. */
const Report = z.array(
  z.looseObject({
    token: z.string(),
    type: z.string(),
    url: z.nullish(z.string()),
    source: z.nullish(z.string()),
  }),
);

const Feedback = z.array(
  z.strictObject({
    token_hash: z
      .string()
      .check(z.describe("SHA-256 of the token in hexadecimal; the token is not repeated")),
    token_type: z.string(),
    label: z.enum(["true_positive", "false_positive"]),
  }),
);

/** Where a token was seen, as GitHub words it: content, commit, pull_request_comment, … */
const SOURCE = /^[a-z][a-z_]{0,49}$/;

/** Most times that a URL may be percent-encoded over. */
const MOST_DECODINGS = 5;

/** A URL with all its percent-decodings down to the last, in one text; null when they do not end. */
function spellings(url: string): string | null {
  const all = [url];
  for (let text = url; all.length <= MOST_DECODINGS; all.push(text)) {
    const decoded = decodedAscii(text);
    if (decoded === text) return all.join(" ");
    text = decoded;
  }
  return null;
}

/** Whether a text holds one of the reported tokens as a word of its own. */
function namesAny(text: string, tokens: ReadonlySet<string>): boolean {
  const words = `${text} ${text.replaceAll("+", " ")}`.split(/[^A-Za-z0-9_~+=.-]+/);
  return words.some((word) => tokens.has(word) || word.split("=").some((part) => tokens.has(part)));
}

export const secretScanningRoute = publicRoute({
  method: "POST",
  path: "/webhooks/secret-scanning",
  summary: "Report leaked keys",
  description:
    "GitHub's secret scanning partner format, signed over the raw body. Keys of this gateway are revoked at once; the answer labels each token, in the order of the report.",
  tag: "Webhooks",
  headers: z.strictObject({
    "github-public-key-identifier": z.string().check(z.describe("Which of the partner's keys signed")),
    "github-public-key-signature": z
      .string()
      .check(z.describe("ECDSA over P-256 with SHA-256, DER in base64, over the raw body")),
  }),
  raw: { types: ["application/json"], anyType: true, schema: Report },
  bodyExample: [
    {
      token: "pst_live_…",
      type: "postern_api_key",
      url: "https://github.com/octocat/hello/blob/main/a.txt",
      source: "content",
    },
  ],
  answers: {
    200: {
      description: "A label for each token",
      schema: Feedback,
      example: [
        {
          token_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
          token_type: "postern_api_key",
          label: "true_positive",
        },
      ],
    },
  },
  errors: ["invalid_signature", "invalid_request", "body_too_large"],
  async handle(call) {
    const { request, isolate, now } = call;
    const claimed = claimedSignature(request.headers);
    if (isDenial(claimed)) return claimed;
    // Before the body is read: anybody may send one.
    const signer = await findSigner(claimed, isolate.config, now);
    if (isDenial(signer)) return signer;
    let bytes: Uint8Array | "too_large";
    try {
      bytes = await within(readCapped(request.body, MAX_BODY), BODY_PATIENCE);
    } catch {
      return { code: "invalid_request", detail: "The body did not arrive" };
    }
    if (bytes === "too_large") return { code: "body_too_large", limit: MAX_BODY };
    if (!isSigned(bytes, signer.key, claimed.signature))
      return { code: "invalid_signature", reason: "wrong" };

    const text = decodeUtf8(bytes);
    const parsed = text === null ? null : parseStrict(text, { maxDepth: MAX_DEPTH });
    const report = parsed?.ok ? check(Report, parsed.value, "body") : { message: "The body is not JSON" };
    if ("message" in report) return { code: "invalid_request", detail: report.message };

    const tokens = new Set(report.value.map(({ token }) => token));
    /** What may be kept of a URL: no part of it when it holds a key. */
    const kept = (url: string, token: string): string | null => {
      const text = spellings(url);
      const held =
        text === null || text.includes(token) || namesAny(text, tokens) || isolate.keyFormat.within(text);
      return held ? null : url.slice(0, 2000);
    };
    const sightings = report.value.map(({ token, url, source }) => ({
      hash: sha256Hex(token),
      // Both are kept in the audit log, which must never hold a key.
      source: source && SOURCE.test(source) && !tokens.has(source) ? source : null,
      url: url ? kept(url, token) : null,
    }));
    const ours = await revokeLeaked({ ...call, actor: "secret-scanning" }, sightings);
    if (ours === null) {
      return {
        code: "state_unavailable",
        detail: "Not every key could be revoked right now; report them again",
      };
    }
    return ok(
      report.value.map(({ type }, i) => {
        const { hash } = sightings[i]!;
        return {
          token_hash: hash,
          token_type: type,
          label: ours.has(hash) ? "true_positive" : "false_positive",
        };
      }),
    );
  },
});
