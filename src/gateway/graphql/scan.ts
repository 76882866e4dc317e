import { MAX_DOCUMENT_DEPTH } from "./limits.ts";

const BLOCK_QUOTE = '"""';

/**
 * A cheap look at a document before `graphql` parses it: what is wrong, or null.
 *
 * - Depth, because the parser recurses and a deep document would overflow the stack. Brackets inside strings,
 *   block strings and comments do not count.
 * - Control characters inside comments, strings and block strings, which `graphql` lets pass. The October
 *   2021 specification (2.1.1) has only tab, LF and CR, and a lexer written in C stops at U+0000.
 * - Other line separators inside comments (U+0085, U+2028, U+2029). They end a comment for the lexers that
 *   took "LineTerminator" from ECMAScript, as the first drafts of the specification did: the origin would
 *   read an operation where we read a comment.
 *
 * Unterminated strings and everything outside of the three is left to the parser.
 */
export function scanDocument(text: string): string | null {
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    switch (text.charCodeAt(at)) {
      case 0x28: // (
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        if (depth > MAX_DOCUMENT_DEPTH) return `nested deeper than ${MAX_DOCUMENT_DEPTH} levels`;
        at += 1;
        break;
      case 0x29: // )
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        at += 1;
        break;
      case 0x23: // #
        at = skipComment(text, at + 1);
        if (at < 0) return "control character or line separator in a comment";
        break;
      case 0x22: // "
        at = text.startsWith(BLOCK_QUOTE, at) ? skipBlockString(text, at + 3) : skipString(text, at + 1);
        if (at < 0) return "control character in a string";
        break;
      default:
        at += 1;
    }
  }
  return null;
}

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

/** Control characters other than tab, LF and CR. */
function isForbidden(code: number): boolean {
  return code < 0x20 && code !== 0x09 && !isLineEnd(code);
}

/** The offset of the line end, or -1. */
function skipComment(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isLineEnd(code)) return at;
    if (isForbidden(code) || code === 0x85 || code === 0x2028 || code === 0x2029) return -1;
  }
  return text.length;
}

/** The offset after the closing quote, of the line end for an unterminated string, or -1. */
function skipString(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (isLineEnd(code)) return at;
    if (isForbidden(code)) return -1;
    at += code === 0x5c && !isLineEnd(text.charCodeAt(at + 1)) ? 2 : 1;
  }
  return at;
}

/** The offset after the closing quotes, or -1. Only `\"""` is an escape here. */
function skipBlockString(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22 && text.startsWith(BLOCK_QUOTE, at)) return at + 3;
    if (isForbidden(code)) return -1;
    at += code === 0x5c && text.startsWith(BLOCK_QUOTE, at + 1) ? 4 : 1;
  }
  return at;
}
