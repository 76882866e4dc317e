import { Lexer, Source, type Token, TokenKind } from "graphql/language";

/**
 * What lexers in use do not agree on: where a comment ends (at a lone CR, at LF alone), whether there are block
 * strings, and which escapes those have (`\"""`, `\\`).
 */
const DISPUTED = /[#\\\r]|"""/;

/**
 * A document as every lexer reads it alike: token by token, without comments, each string an ordinary one in
 * which no quote and no backslash stands for itself. One that holds nothing disputed is left as it is.
 * @param text what the parser took: lexing it again cannot fail
 */
export function undisputed(text: string): string {
  if (!DISPUTED.test(text)) return text;
  const lexer = new Lexer(new Source(text));
  const words: string[] = [];
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    words.push(written(token));
  }
  return words.join(" ");
}

/** A token as text. A punctuator's kind is the punctuator. */
function written({ kind, value }: Token): string {
  return kind === TokenKind.STRING || kind === TokenKind.BLOCK_STRING ? quoted(value) : (value ?? kind);
}

/** `\u` and four digits is an escape in every edition of the specification (2.9.4). */
function quoted(value: string): string {
  const escaped = value.replace(
    /[^\x20!$-[\]-~\xa0-\u2027\u202a-\ufefe\uff00-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}
