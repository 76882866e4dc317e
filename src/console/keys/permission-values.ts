import { sameJson } from "../../json.ts";
import type { Access, GraphqlPermission, Permissions } from "../../keys/permissions.ts";
import type { RestrictedScope, Scopes } from "../../keys/scopes.ts";
import type { Fields } from "../forms.ts";
import type { TemplateChoice } from "./choices.ts";
import { permissionsOf } from "./words.ts";

/** The ways to say what a key may do: Runpod's three, RemoteGPU's other two, Runtype's other two. */
export type PermissionChoice =
  | "all"
  | "read_only"
  | "restricted"
  | "inference"
  | "kubernetes"
  | "template"
  | "scopes";

/** The permission part of a form, as its fields hold it. What is not chosen is kept, so that nothing is lost. */
export interface PermissionValues {
  permission: PermissionChoice | "";
  graphql: Access | "fields" | "";
  /** Root fields, separated by spaces or commas, or `*`. */
  queries: string;
  mutations: string;
  inference: Access | "endpoints" | "";
  /** Access by endpoint id. */
  endpoints: Map<string, Access>;
  /** Access to every endpoint that is not named. */
  others: Access;
  /** An endpoint that the form does not list. */
  otherEndpoint: string;
  otherAccess: Access;
  kubernetes: "none" | "all" | "chosen" | "";
  namespaces: string[];
  template: string;
  /** Scope strings that are ticked, and those that are written. */
  scopes: string[];
  moreScopes: string;
}

/** The prefix of the fields that hold one endpoint's access. */
export const ENDPOINT_FIELD = "endpoint:";

const ACCESS: readonly string[] = ["none", "read", "read_write"];
const access = (text: string): Access => (ACCESS.includes(text) ? (text as Access) : "none");

/** Reads the fields of a form. A value that no field of ours sends is as if none was chosen. */
export function readPermission(form: Fields): PermissionValues {
  const oneOf = <T extends string>(name: string, values: readonly T[]): T | "" =>
    values.find((value) => value === form.text(name)) ?? "";
  const endpoints = form
    .entries()
    .flatMap(([name, value]): [string, Access][] =>
      name.startsWith(ENDPOINT_FIELD) ? [[name.slice(ENDPOINT_FIELD.length), access(value)]] : [],
    );
  return {
    permission: oneOf("permission", [
      "all",
      "read_only",
      "restricted",
      "inference",
      "kubernetes",
      "template",
      "scopes",
    ]),
    graphql: oneOf("graphql", ["none", "read", "read_write", "fields"]),
    queries: form.text("queries"),
    mutations: form.text("mutations"),
    inference: oneOf("inference", ["none", "read", "read_write", "endpoints"]),
    endpoints: new Map(endpoints),
    others: access(form.text("others")),
    otherEndpoint: form.text("other_endpoint"),
    otherAccess: access(form.text("other_access")),
    kubernetes: oneOf("kubernetes", ["none", "all", "chosen"]),
    namespaces: form.all("namespace"),
    template: form.text("template"),
    scopes: form.all("scope"),
    moreScopes: form.text("more_scopes"),
  };
}

/** A new key's: restricted, and nothing allowed yet. */
export function initialPermission(): PermissionValues {
  return {
    ...fromPermissions({ graphql: "none", inference: { endpoints: {} }, kubernetes_exec: "none" }),
    permission: "restricted",
    template: "",
    scopes: [],
    moreScopes: "",
  };
}

/**
 * What a key has, in the fields it would be chosen with. A template that has changed since, or is gone, is
 * not what the key has: then its permissions are shown as they are.
 */
export function permissionOf(
  key: { scopes: Scopes; template: string | null },
  templates: readonly TemplateChoice[],
  catalogue: ReadonlySet<string>,
): PermissionValues {
  const { scopes } = key;
  const template = templates.find(({ name }) => name === key.template);
  const same = template !== undefined && sameJson(template.scopes, scopes);
  const list = Array.isArray(scopes) ? scopes : [];
  return {
    ...fromPermissions(permissionsOf(scopes)),
    permission: same ? "template" : shapeOf(scopes),
    template: same ? template.name : "",
    scopes: list.filter((scope) => catalogue.has(scope)),
    moreScopes: list.filter((scope) => !catalogue.has(scope)).join("\n"),
  };
}

function shapeOf(scopes: Scopes): PermissionChoice {
  if (Array.isArray(scopes)) return "scopes";
  if ("all" in scopes) return "all";
  if ("read_only" in scopes) return "read_only";
  if ("inference" in scopes) return "inference";
  return "kubernetes_exec" in scopes ? "kubernetes" : "restricted";
}

function fromPermissions({ graphql, inference, kubernetes_exec }: Permissions) {
  const fields = typeof graphql === "string" ? null : graphql;
  const named = typeof inference === "string" ? { endpoints: {} } : inference;
  return {
    graphql: fields === null ? (graphql as Access) : ("fields" as const),
    queries: written(fields?.queries ?? []),
    mutations: written(fields?.mutations ?? []),
    inference: typeof inference === "string" ? inference : ("endpoints" as const),
    endpoints: new Map(Object.entries(named.endpoints)),
    others: ("others" in named ? named.others : undefined) ?? ("none" as const),
    otherEndpoint: "",
    otherAccess: "none" as const,
    kubernetes:
      kubernetes_exec === "none"
        ? ("none" as const)
        : kubernetes_exec === "all_namespaces"
          ? ("all" as const)
          : ("chosen" as const),
    namespaces: typeof kubernetes_exec === "string" ? [] : kubernetes_exec.namespace_ids,
  };
}

const written = (fields: "*" | readonly string[]) => (fields === "*" ? "*" : fields.join(", "));
const fieldNames = (text: string): "*" | string[] => (text === "*" ? "*" : words(text));
const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== "");

/** What the API is asked to grant. */
export type WantedGrant = { scopes: Scopes } | { template: string };

/** A field that has to be filled in before the API can be asked at all, and what to say there. */
export interface Missing {
  field: string;
  text: string;
}

/** The grant that a form asks for, or what is missing of it. What it may be is for the API to say. */
export function wantedGrant(values: PermissionValues): WantedGrant | Missing {
  switch (values.permission) {
    case "":
      return { field: "permission", text: "Choose what the key may do" };
    case "all":
      return { scopes: { all: true } };
    case "read_only":
      return { scopes: { read_only: true } };
    case "inference":
      return { scopes: { inference: true } };
    case "template":
      return values.template === ""
        ? { field: "template", text: "Choose a template" }
        : { template: values.template };
    case "scopes": {
      const scopes = [...values.scopes, ...words(values.moreScopes)];
      return scopes.length === 0 ? { field: "scopes", text: "Choose at least one scope" } : { scopes };
    }
    case "kubernetes": {
      if (values.kubernetes === "all") return { scopes: { kubernetes_exec: { all_namespaces: true } } };
      const namespace_ids = values.kubernetes === "chosen" ? values.namespaces : [];
      return namespace_ids.length === 0 ? NO_NAMESPACE : { scopes: { kubernetes_exec: { namespace_ids } } };
    }
    case "restricted":
      return wantedRestricted(values);
  }
}

const NO_NAMESPACE: Missing = { field: "kubernetes", text: "Choose at least one namespace, or all of them" };

function wantedRestricted(values: PermissionValues): WantedGrant | Missing {
  const { graphql, inference, kubernetes, namespaces } = values;
  const restricted: RestrictedScope = {};
  if (graphql === "fields") {
    const named: Exclude<GraphqlPermission, Access> = {
      queries: fieldNames(values.queries),
      mutations: fieldNames(values.mutations),
    };
    if (named.queries.length + named.mutations.length === 0) {
      return { field: "queries", text: "Name at least one query or mutation" };
    }
    restricted.graphql = named;
  } else if (graphql !== "" && graphql !== "none") restricted.graphql = graphql;

  if (inference === "endpoints") restricted.inference = namedEndpoints(values);
  else if (inference !== "" && inference !== "none") restricted.inference = inference;

  if (kubernetes === "all") restricted.kubernetes_exec = { all_namespaces: true };
  else if (kubernetes === "chosen") {
    if (namespaces.length === 0) return NO_NAMESPACE;
    restricted.kubernetes_exec = { namespace_ids: namespaces };
  }
  return { scopes: { restricted } };
}

/** Endpoints that differ from all others; naming the rest would only lengthen the record. */
function namedEndpoints({ endpoints, others, otherEndpoint, otherAccess }: PermissionValues) {
  const chosen = new Map(endpoints);
  if (otherEndpoint !== "") chosen.set(otherEndpoint, otherAccess);
  const named = Object.fromEntries([...chosen].filter(([, level]) => level !== others));
  return others === "none" ? { endpoints: named } : { endpoints: named, others };
}
