import * as z from "zod/mini";

type Json = Record<string, unknown>;

/** What a client sends (`input`: before defaults and transforms), or what it gets (`output`). */
export type Direction = "input" | "output";

/**
 * Schemas as OpenAPI 3.1 writes them, which is JSON Schema 2020-12. Those with an id in their metadata
 * are gathered under `components.schemas`, and referred to. Knows the kinds of schema that routes are
 * made of, where zod's own writer, many times as large, knows all.
 */
export class SchemaBook {
  readonly schemas: Record<string, Json> = {};

  /** @throws Error for a kind of schema that no route had yet */
  write(schema: z.core.$ZodType, io: Direction): Json {
    const { id, documented, ...metadata } = z.globalRegistry.get(schema) ?? {};
    // A schema may say how it is shown, whatever checks it.
    if (documented !== undefined) return { ...documented, ...metadata };
    if (id === undefined) return this.#written(schema, io, metadata);
    // In its place before those it refers to.
    this.schemas[id] ??= {};
    this.schemas[id] = this.#written(schema, io, metadata);
    return { $ref: `#/components/schemas/${id}` };
  }

  #written(schema: z.core.$ZodType, io: Direction, metadata: Json): Json {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    switch (def.type) {
      case "unknown":
      case "transform":
        return metadata;
      case "boolean":
        return { type: "boolean", ...metadata };
      case "string":
      case "number":
        return { type: def.type, ...limits(schema, "Length"), ...metadata };
      case "literal":
        return { type: typeof def.values[0], const: def.values[0], ...metadata };
      case "enum":
        return { type: "string", enum: Object.values(def.entries), ...metadata };
      case "array":
        return {
          ...limits(schema, "Items"),
          type: "array",
          items: this.write(def.element, io),
          ...metadata,
        };
      case "object":
        return { ...this.#object(def, io), ...metadata };
      case "union":
        return anyOf(
          def.options.map((option) => this.write(option, io)),
          metadata,
        );
      case "nullable":
        return anyOf([this.write(def.innerType, io), { type: "null" }], metadata);
      case "optional":
        return around(this.write(def.innerType, io), metadata);
      case "default": {
        // What a transform makes of what is sent is nothing that could be sent.
        const shown = io === "output" || !isTransformed(def.innerType);
        return around(this.write(def.innerType, io), {
          ...(shown && { default: def.defaultValue }),
          ...metadata,
        });
      }
      case "pipe":
        return around(this.write(io === "input" ? def.in : def.out, io), metadata);
      default:
        throw new Error(`No JSON Schema for ${def.type}`);
    }
  }

  #object({ shape, catchall }: z.core.$ZodObjectDef, io: Direction): Json {
    const members = Object.entries(shape);
    const others = catchall?._zod.def.type === "never" ? false : catchall && this.write(catchall, io);
    if (members.length === 0 && others) {
      return { type: "object", propertyNames: { type: "string" }, additionalProperties: others };
    }
    const required = members.filter(
      ([, { _zod }]) => (io === "input" ? _zod.optin : _zod.optout) === undefined,
    );
    return {
      type: "object",
      properties: Object.fromEntries(members.map(([name, member]) => [name, this.write(member, io)])),
      ...(required.length > 0 && { required: required.map(([name]) => name) }),
      // What is not said to come besides is refused, or never answered.
      ...((others !== undefined || io === "output") && { additionalProperties: others ?? false }),
    };
  }
}

/** A schema that is another one in all but what is said here. */
const around = (inner: Json, own: Json): Json => ({ ...own, ...inner, ...own });

/** Any of some schemas; in short where they say a type and no more. */
function anyOf(options: Json[], metadata: Json): Json {
  const isBare = options.every(({ type, ...more }) => type !== undefined && Object.keys(more).length === 0);
  return isBare ? { ...metadata, type: options.map(({ type }) => type) } : { anyOf: options, ...metadata };
}

/** The checks of a string, a number or an array. That a whole number fits a double goes without saying. */
function limits(schema: z.core.$ZodType, what: "Length" | "Items"): Json {
  const json: Json = {};
  const { def, traits } = schema._zod;
  // A schema for a format is its own first check.
  const checks = [...(traits.has("$ZodCheck") ? [schema as never] : []), ...(def.checks ?? [])];
  for (const { _zod } of checks as z.core.$ZodChecks[]) {
    const check = _zod.def;
    if (check.check === "number_format") json.type = "integer";
    else if (check.check === "min_length") json[`min${what}`] = check.minimum;
    else if (check.check === "max_length") json[`max${what}`] = check.maximum;
    else if (check.check === "greater_than") json.minimum = check.value;
    else if (check.check === "less_than") json.maximum = check.value;
    else if (check.check === "string_format") {
      if (check.format === "guid" || check.format === "uuid") json.format = "uuid";
      if (check.pattern !== undefined) json.pattern = check.pattern.source;
    }
  }
  return json;
}

/** Whether what is sent is turned into something else. */
function isTransformed(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "nullable" || def.type === "optional") return isTransformed(def.innerType);
  return def.type === "pipe";
}
