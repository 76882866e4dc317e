import { Lexer, Source, TokenKind } from "graphql/language";

/**
 * What lexers in use do not agree on: where a comment ends (at a lone CR, at LF alone), whether there are block
 * strings, and which escapes those have (`\"""`, `\\`).
 */
const DISPUTED = /[#\r]|"""/;

/**
 * A document as every lexer reads it alike: token by token, without comments, each string an ordinary one. One
 * that holds nothing disputed is left as it is.
 * @param text what the parser took: lexing it again cannot fail
 */
export function undisputed(text: string): string {
  if (!DISPUTED.test(text)) return text;
  const lexer = new Lexer(new Source(text));
  let written = "";
  let afterWord = false;
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    const { kind, value } = token;
    const isWord = value !== undefined; // a name, a number or a string; a punctuator's kind is its text
    // Blanks only where tokens would run together: some grammars have none in `$name` and `[Type!]`.
    if (kind === TokenKind.SPREAD || (afterWord && isWord)) written += " ";
    const isString = kind === TokenKind.STRING || kind === TokenKind.BLOCK_STRING;
    written += isString ? quoted(value) : (value ?? kind);
    afterWord = isWord;
  }
  return written;
}

/** The escapes of every edition of the specification (2.9.4), which are those of JSON. */
const quoted = (value: string) =>
  JSON.stringify(value).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
