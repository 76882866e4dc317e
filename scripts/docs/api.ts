import type { OpenApi, Operation } from "../../src/api/openapi.ts";
import { table } from "./regions.ts";

/** The tables of docs/api.md: every route of the OpenAPI document, by tag. */
export function apiTables({ tags, paths }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  return tags
    .map(({ name }) => {
      const rows = operations
        .filter(({ operation }) => operation.tags.includes(name))
        .map(({ path, method, operation }) => [
          `\`${method} ${path}\``,
          operation.summary,
          openedBy(operation),
          Object.keys(operation.responses).sort().join(", "),
        ]);
      return `## ${name}\n\n${table(["route", "does", "opened by", "answers"], rows)}`;
    })
    .join("\n\n");
}

function openedBy({ security }: Operation): string {
  if (security.length === 0) return "anyone";
  return security.map((ways) => Object.keys(ways).join(" and ")).join(" or ");
}
