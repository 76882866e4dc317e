/**
 * How much of a GraphQL request is inspected. Generous for what people and code generators write (the
 * introspection query has some 300 tokens and 13 levels), small enough that the worst accepted request
 * costs a few milliseconds of CPU.
 */

/** Bytes of an inspected request body; the caller reads no more than this. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** UTF-16 units of one document. */
export const MAX_DOCUMENT_LENGTH = 256 * 1024;

/** Lexical tokens of one document, comments not counted (`graphql` counts those apart). */
export const MAX_TOKENS = 10_000;

/** Comments of one document. `graphql` keeps each as an object although it means nothing. */
export const MAX_COMMENTS = 2_000;

/** Brackets of any kind open at once in a document. `graphql` recurses per level; 3,000 overflow its stack. */
export const MAX_DOCUMENT_DEPTH = 64;

/** Operations of one document: gathering root fields costs operations times fragments. */
export const MAX_OPERATIONS = 50;

/** Objects and arrays open at once in the JSON body or in URL `variables`. */
export const MAX_JSON_DEPTH = 100;

/** Entries of one batch. */
export const MAX_BATCH_ENTRIES = 10;
