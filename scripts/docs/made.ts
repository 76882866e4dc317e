import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OpenApi } from "../../src/api/openapi.ts";
import { startGateway } from "../gateway.ts";
import { apiTables } from "./api.ts";
import { configurationTables } from "./configuration.ts";
import { replaceRegion } from "./regions.ts";

const DOCS = join(import.meta.dirname, "../../docs");

/** Documents with made regions, as they are and as they should be, by file name. */
export async function madeDocuments(): Promise<{ path: string; is: string; should: string }[]> {
  const { variables, secrets } = configurationTables();
  const made: Record<string, Record<string, string>> = {
    "configuration.md": { variables, secrets },
    "api.md": { routes: apiTables(await readOpenApi()) },
  };
  return Object.entries(made).map(([name, regions]) => {
    const path = join(DOCS, name);
    const is = readFileSync(path, "utf8");
    const should = Object.entries(regions).reduce(
      (text, [region, made]) => replaceRegion(text, region, made),
      is,
    );
    return { path, is, should };
  });
}

/** The OpenAPI document as the Worker itself serves it. */
async function readOpenApi(): Promise<OpenApi> {
  const gateway = await startGateway({
    port: 0,
    persist: null,
    secrets: { KEY_TAG_SECRETS: JSON.stringify({ a: "-".repeat(32) }) },
  });
  try {
    const response = await fetch(`${gateway.url}/openapi.json`);
    return (await response.json()) as OpenApi;
  } finally {
    await gateway.stop();
  }
}
