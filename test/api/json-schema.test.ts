import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { ROUTES } from "../../src/api/index.ts";
import { type Direction, SchemaBook } from "../../src/api/json-schema.ts";

type Json = Record<string, unknown>;

/** The same by zod's own writer, which knows every kind of schema and is too large for the Worker. */
class Oracle {
  readonly schemas: Record<string, Json> = {};

  write(schema: z.core.$ZodType, io: Direction): Json {
    // A schema at the root would not be referred to, whatever its id: so it is a member of one.
    const document = z.toJSONSchema(z.object({ it: schema as z.ZodMiniType }), {
      io,
      unrepresentable: "any",
      override: ({ jsonSchema }) => {
        asDocumented(jsonSchema as Json);
        asMap(jsonSchema as Json);
        // That a whole number fits a double goes without saying.
        if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      },
    });
    const { $defs = {}, properties } = referring(document) as {
      $defs?: Record<string, Json>;
      properties: Json;
    };
    for (const [id, { id: _, ...definition }] of Object.entries($defs)) this.schemas[id] = definition;
    return properties.it as Json;
  }
}

/** An object of no members but others (`mapOf`) is shown as a map. */
function asMap(schema: Json): void {
  const { properties, additionalProperties } = schema;
  if (properties === undefined || Object.keys(properties as Json).length > 0 || !additionalProperties) return;
  delete schema.properties;
  schema.propertyNames = { type: "string" };
}

/** A schema whose metadata say `documented` is shown as that says, whatever checks it. */
function asDocumented(schema: Json): void {
  const { documented, description } = schema;
  if (documented === undefined) return;
  for (const name of Object.keys(schema)) delete schema[name];
  Object.assign(schema, documented, description !== undefined && { description });
}

/** Points references from a document's own `$defs` to the components. */
function referring(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(referring);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === "$ref" ? String(member).replace("#/$defs/", "#/components/schemas/") : referring(member),
    ]),
  );
}

describe("schemas as JSON Schema", () => {
  const sent = ROUTES.flatMap(({ method, path, params, query, body }) =>
    [params, query, body].flatMap((schema) =>
      schema == null ? [] : [{ where: `${method} ${path}`, schema, io: "input" as const }],
    ),
  );
  const answered = ROUTES.flatMap(({ method, path, answers }) =>
    Object.values(answers).flatMap(({ schema }) =>
      schema == null ? [] : [{ where: `${method} ${path}`, schema, io: "output" as const }],
    ),
  );

  it("are what zod's own writer makes of them, for every schema of every route", () => {
    expect(sent.length).toBeGreaterThan(30);
    expect(answered.length).toBeGreaterThan(30);
    const book = new SchemaBook();
    const oracle = new Oracle();
    for (const { where, schema, io } of [...sent, ...answered]) {
      expect(book.write(schema, io), where).toEqual(oracle.write(schema, io));
    }
    expect(book.schemas).toEqual(oracle.schemas);
  });

  it("of a kind that no route had yet are an error, not silence", () => {
    expect(() => new SchemaBook().write(z.map(z.string(), z.string()), "input")).toThrow(
      "No JSON Schema for map",
    );
  });
});
