import * as z from "zod";

type Json = Record<string, unknown>;

/**
 * Schemas as OpenAPI 3.1 writes them, which is JSON Schema 2020-12. Those with an id in their metadata
 * are gathered under `components.schemas`, and referred to.
 */
export class SchemaBook {
  readonly schemas: Record<string, Json> = {};

  /** @param io what a client sends (`input`: before defaults and transforms), or what it gets (`output`) */
  write(schema: z.ZodType, io: "input" | "output"): Json {
    // A schema at the root would not be referred to, whatever its id: so it is a member of one.
    const document = z.toJSONSchema(z.object({ it: schema }), {
      io,
      unrepresentable: "any",
      override: ({ jsonSchema }) => {
        asDocumented(jsonSchema);
        dropSafeBounds(jsonSchema);
      },
    }) as Json;
    const { $defs = {}, properties } = rewritten(document) as {
      $defs?: Record<string, Json>;
      properties: Json;
    };
    for (const [id, { id: _, ...definition }] of Object.entries($defs)) this.schemas[id] = definition;
    return properties.it as Json;
  }
}

/** That a whole number fits a double goes without saying. */
function dropSafeBounds(schema: Json): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** A schema whose metadata say `documented` is shown as that says, whatever checks it. */
function asDocumented(schema: Json): void {
  const { documented, description } = schema;
  if (documented === undefined) return;
  for (const name of Object.keys(schema)) delete schema[name];
  Object.assign(schema, documented, description !== undefined && { description });
}

/** Points references from a document's own `$defs` to the components. */
function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === "$ref" ? String(member).replace("#/$defs/", "#/components/schemas/") : rewritten(member),
    ]),
  );
}
