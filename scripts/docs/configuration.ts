import * as z from "zod/mini";
import { DESCRIPTIONS, VARIABLE_NAMES, VARIABLES } from "../../src/env.ts";
import { table } from "./regions.ts";

const SECRET = /^Secret\. /;

/** The tables of docs/configuration.md, from the very schema that validates. */
export function configurationTables(): { variables: string; secrets: string } {
  const rows = VARIABLE_NAMES.map((name) => {
    const schema = VARIABLES.shape[name];
    const text = DESCRIPTIONS[name];
    return {
      name,
      secret: SECRET.test(text),
      text: text.replace(SECRET, "") + limitsOf(schema),
      unset: whenUnset(schema),
    };
  });
  const tableOf = (secret: boolean) =>
    table(
      ["name", "unset", "what it is"],
      rows
        .filter((row) => row.secret === secret)
        .map(({ name, unset, text }) => [`\`${name}\``, unset, text]),
    );
  return { variables: tableOf(false), secrets: tableOf(true) };
}

/** What holds where a variable is not set. */
function whenUnset(schema: { safeParse(value: unknown): { success: boolean; data?: unknown } }): string {
  const { success, data } = schema.safeParse(undefined);
  if (!success) return "an error: it is required";
  if (data === undefined || (Array.isArray(data) && data.length === 0)) return "";
  if (typeof data === "boolean") return data ? "`on`" : "`off`";
  return `\`${Array.isArray(data) ? data.join(",") : String(data)}\``;
}

/** Between which numbers a variable must be, where it is one. */
function limitsOf(schema: z.ZodMiniType): string {
  const { minimum, maximum } = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
  return minimum === undefined || maximum === undefined ? "" : `; ${minimum} to ${maximum}`;
}
