import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  parse,
} from "graphql/language";
import { MAX_COMMENTS, MAX_DOCUMENT_LENGTH, MAX_OPERATIONS, MAX_TOKENS } from "./limits.ts";
import { type Operation, type Refused, refuse } from "./result.ts";
import { gatherRootFields } from "./root-fields.ts";
import { scanDocument } from "./scan.ts";
import { undisputed } from "./undisputed.ts";

/** What a document holds, by operation name; the one anonymous operation is under null. */
export interface JudgedDocument {
  kind: "document";
  /** What is forwarded, and was judged. */
  readonly text: string;
  readonly operations: ReadonlyMap<string | null, Operation>;
}

/** `graphql` quotes the offending token, which may be a string of any length. */
const MESSAGE_LENGTH = 200;

/**
 * Every operation of an executable document, or why it cannot be classified. A pure function of the text.
 *
 * Duplicate names of operations and fragments are refused although some origins would not: which of the two
 * they run is theirs to choose. Fragments that no root reaches are not looked at; validating is the origin's.
 */
export function judgeDocument(text: string): JudgedDocument | Refused {
  if (text.length > MAX_DOCUMENT_LENGTH)
    return refuse(413, `The GraphQL document is longer than ${MAX_DOCUMENT_LENGTH} characters`);
  const problem = scanDocument(text);
  if (problem !== null) return refuse(400, `GraphQL document: ${problem}`);
  const document = parseDocument(text);
  if (typeof document === "string") return refuse(400, document);
  const forwarded = undisputed(text);
  const read = forwarded === text ? document : parseDocument(forwarded);
  return typeof read === "string" ? refuse(400, read) : judge(read, forwarded);
}

/** The syntax tree, or what is wrong. */
function parseDocument(text: string): DocumentNode | string {
  try {
    return parse(text, { noLocation: true, maxLexicalTokens: MAX_TOKENS, maxComments: MAX_COMMENTS });
  } catch (error) {
    // A GraphQLError for bad syntax; whatever else the parser may throw is no reason to forward either.
    return error instanceof Error
      ? error.message.slice(0, MESSAGE_LENGTH)
      : "GraphQL document cannot be parsed";
  }
}

function judge(document: DocumentNode, text: string): JudgedDocument | Refused {
  const definitions: OperationDefinitionNode[] = [];
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === "OperationDefinition") {
      definitions.push(definition);
    } else if (definition.kind === "FragmentDefinition") {
      const name = definition.name.value;
      if (fragments.has(name)) return refuse(400, `Duplicate fragment name: ${shown(name)}`);
      fragments.set(name, definition);
    } else {
      return refuse(400, "Only operations and fragments are accepted");
    }
  }
  if (definitions.length === 0) return refuse(400, "GraphQL document without an operation");
  if (definitions.length > MAX_OPERATIONS) return refuse(400, `More than ${MAX_OPERATIONS} operations`);

  const operations = new Map<string | null, Operation>();
  for (const definition of definitions) {
    const name = definition.name?.value ?? null;
    if (name === null && definitions.length > 1) return refuse(400, "Anonymous operation beside others");
    if (operations.has(name)) return refuse(400, `Duplicate operation name: ${shown(String(name))}`);
    const fields = gatherRootFields(definition.selectionSet, fragments);
    if (!fields.ok) return refuse(400, `Undefined fragment: ${shown(fields.undefinedFragment)}`);
    if (fields.names.length === 0) return refuse(400, "Operation without a field");
    operations.set(name, { type: definition.operation, rootFields: fields.names });
  }
  return { kind: "document", text, operations };
}

function shown(name: string): string {
  return name.slice(0, MESSAGE_LENGTH);
}
