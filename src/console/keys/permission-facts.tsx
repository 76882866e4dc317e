import type { Child } from "../../html/jsx-runtime.ts";
import type { GraphqlPermission, InferencePermission, Permissions } from "../../keys/permissions.ts";
import { Facts } from "../components.tsx";
import type { Choices } from "./choices.ts";
import { ACCESS_LABELS } from "./words.ts";

/** What a key may do, API by API, in words. */
export function PermissionFacts({
  permissions,
  choices,
  more = [],
}: {
  permissions: Permissions;
  /** For the names of endpoints and namespaces; without it their ids stand. */
  choices: Choices | null;
  more?: readonly (readonly [string, Child])[];
}) {
  return (
    <Facts
      facts={[
        ["GraphQL", graphqlWords(permissions.graphql)],
        ["Inference", <Inference permission={permissions.inference} choices={choices} />],
        ["Kubernetes", <Kubernetes permission={permissions.kubernetes_exec} choices={choices} />],
        ...more,
      ]}
    />
  );
}

/** The same in a few lines: only what is allowed. */
export function PermissionSummary({
  permissions,
  choices,
}: {
  permissions: Permissions;
  choices: Choices | null;
}) {
  const { graphql, inference, kubernetes_exec } = permissions;
  return (
    <ul>
      {graphql !== "none" && <li>GraphQL: {graphqlWords(graphql)}</li>}
      {inference !== "none" && (
        <li>
          Inference: <Inference permission={inference} choices={choices} />
        </li>
      )}
      {kubernetes_exec !== "none" && (
        <li>
          Kubernetes: <Kubernetes permission={kubernetes_exec} choices={choices} />
        </li>
      )}
    </ul>
  );
}

function graphqlWords(permission: GraphqlPermission): Child {
  if (typeof permission === "string") return ACCESS_LABELS[permission];
  const named = (kind: string, fields: "*" | string[]) =>
    fields === "*" ? `every ${kind}` : fields.length === 0 ? `no ${kind}` : `${kind} ${fields.join(", ")}`;
  return `Only: ${named("query", permission.queries)}; ${named("mutation", permission.mutations)}`;
}

function Inference({ permission, choices }: { permission: InferencePermission; choices: Choices | null }) {
  if (typeof permission === "string") {
    return permission === "none" ? "None" : `${ACCESS_LABELS[permission]} on every endpoint`;
  }
  const { endpoints, others = "none" } = permission;
  const nameOf = (id: string) => choices?.endpoints.find((endpoint) => endpoint.id === id)?.name ?? id;
  return (
    <ul>
      {Object.entries(endpoints).map(([id, level]) => (
        <li>
          {nameOf(id)}: {ACCESS_LABELS[level]}
        </li>
      ))}
      {others !== "none" && <li>All others: {ACCESS_LABELS[others]}</li>}
    </ul>
  );
}

function Kubernetes({
  permission,
  choices,
}: {
  permission: Permissions["kubernetes_exec"];
  choices: Choices | null;
}) {
  if (permission === "none") return "None";
  if (permission === "all_namespaces") return "All namespaces";
  const nameOf = (id: string) => choices?.namespaces.find((namespace) => namespace.id === id)?.name ?? id;
  return (
    <ul>
      {permission.namespace_ids.map((id) => (
        <li>{nameOf(id)}</li>
      ))}
    </ul>
  );
}
