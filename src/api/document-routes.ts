import * as z from "zod/mini";
import type { Config } from "../env.ts";
import { oncePerConfig } from "../once-per-config.ts";
import { DOCS_POLICY, docsPage } from "./docs.tsx";
import { describe, type OpenApi } from "./openapi.ts";
import { type Described, publicRoute, type Route } from "./route.ts";
import { mapOf } from "./schemas.ts";

const TAG = "Documentation";
/** It changes with a deployment only. */
const CACHED = { "cache-control": "public, max-age=300" };

/** The routes that document all routes, themselves included, and those that other doors serve. */
export function documentRoutes(others: readonly Route[], elsewhere: readonly Described[]): Route[] {
  const documentOf = oncePerConfig((config: Config): OpenApi => describe(routes, config.PUBLIC_URL ?? "/"));
  const pageOf = oncePerConfig((config: Config) => docsPage(documentOf(config)));

  const openapi = publicRoute({
    method: "GET",
    path: "/openapi.json",
    summary: "Get this document",
    tag: TAG,
    answers: {
      200: {
        description: "An OpenAPI 3.1 document",
        schema: mapOf(z.unknown()),
        example: { openapi: "3.1.0", info: { title: "Postern", version: "1" }, paths: {} },
      },
    },
    async handle({ isolate }) {
      return Response.json(documentOf(isolate.config), { headers: CACHED });
    },
  });

  const docs = publicRoute({
    method: "GET",
    path: "/docs",
    summary: "Read this document",
    tag: TAG,
    answers: {
      200: {
        description: "A page",
        schema: z.string(),
        type: "text/html",
        example: "<!doctype html><title>Postern API</title>",
      },
    },
    async handle({ isolate }) {
      return new Response(pageOf(isolate.config), {
        headers: {
          ...CACHED,
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": DOCS_POLICY,
          "referrer-policy": "no-referrer",
        },
      });
    },
  });

  const routes = [...others, ...elsewhere, openapi, docs];
  return [openapi, docs];
}
