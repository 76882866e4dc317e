import { Card, type Column, When } from "../components.tsx";
import type { FieldError } from "./field-errors.ts";
import { LinesField, TextField } from "./fields.tsx";
import { NameCell } from "./lists.tsx";
import { recordPath } from "./paths.ts";
import { recordList } from "./record-list.tsx";
import { recordPages, type Values } from "./record-pages.tsx";
import type { NamespaceView } from "./records.ts";

const LIST = "/console/admin/namespaces";
const pathOf = (id: string) => recordPath(LIST, id);

const COLUMNS: readonly Column<NamespaceView>[] = [
  {
    label: "Namespace",
    heading: true,
    cell: ({ id, name }) => <NameCell name={name} id={id} href={pathOf(id)} />,
  },
  { label: "Account", cell: ({ account_id }) => <code>{account_id}</code> },
  { label: "Cluster", cell: ({ cluster }) => <code class="long">{cluster.server}</code> },
  { label: "Audience", cell: ({ cluster }) => <code class="long">{cluster.audience}</code> },
  { label: "Created", cell: ({ created_at }) => <When at={created_at} date /> },
];

const KIND = { noun: "namespace", plural: "Namespaces", list: LIST, records: "/admin/namespaces" };

const listPage = recordList<NamespaceView>({
  ...KIND,
  lead: "Where in a Kubernetes cluster keys may use kubectl. The cluster must trust this gateway as its token issuer.",
  ofAccount: "Of account",
  columns: COLUMNS,
  unmatched: () => "The account has no namespace. Is its id spelled right?",
  empty: "Add one for each namespace that keys should get kubectl credentials for.",
});

interface NamespaceValues extends Values {
  account_id: string;
  name: string;
  server: string;
  certificate: string;
  audience: string;
}

/** The API takes what a kubeconfig holds; a PEM file is that before base64. */
function certificateData(text: string): string {
  return text.startsWith("-----BEGIN") ? btoa(`${text}\n`) : text.replace(/\s+/g, "");
}

function NamespaceCard({ values, error }: { values: NamespaceValues; error: FieldError | null }) {
  return (
    <Card>
      {values.updated_at === "" && (
        <TextField
          name="id"
          label="Id"
          value={values.id}
          error={error}
          required
          mono
          hint="A UUID that permissions name. This one is new; enter another if the cluster's people have one."
        />
      )}
      <TextField name="name" label="Name" value={values.name} error={error} required maxlength={64} />
      <TextField
        name="account_id"
        label="Account"
        value={values.account_id}
        error={error}
        required
        list="accounts"
        mono
        hint="Its keys alone may be given this namespace."
      />
      <TextField
        name="server"
        label="Kubernetes API server"
        value={values.server}
        error={error}
        required
        mono
        placeholder="https://kube.example.com:6443"
        hint="Clients call it themselves; the gateway never does."
      />
      <TextField
        name="audience"
        label="Audience"
        value={values.audience}
        error={error}
        required
        mono
        hint="What the cluster expects in its tokens' aud: --oidc-client-id, or the audiences of its authentication configuration."
      />
      <LinesField
        name="certificate"
        label="Certificate authority of the server"
        value={values.certificate}
        error={error}
        hint="As PEM, or in base64 as a kubeconfig has it. Empty where a public authority signed the server's certificate."
      />
    </Card>
  );
}

const records = recordPages<NamespaceView, NamespaceValues>({
  ...KIND,
  key: "id",
  nameOf: ({ id, name }) => ({ id, name }),
  blank: () => ({
    id: crypto.randomUUID(),
    account_id: "",
    name: "",
    server: "",
    certificate: "",
    audience: "",
    updated_at: "",
  }),
  valuesOf: ({ cluster, ...namespace }) => ({
    ...namespace,
    server: cluster.server,
    certificate: cluster.certificate_authority_data ?? "",
    audience: cluster.audience,
  }),
  read: (form, values) => ({
    ...values,
    account_id: form.text("account_id"),
    name: form.text("name"),
    server: form.text("server"),
    certificate: form.text("certificate"),
    audience: form.text("audience"),
  }),
  body({ account_id, name, server, certificate, audience }) {
    const authority = certificate === "" ? {} : { certificate_authority_data: certificateData(certificate) };
    return { account_id, name, cluster: { server, ...authority, audience } };
  },
  fields: {
    id: "id",
    account_id: "account_id",
    name: "name",
    "cluster.server": "server",
    "cluster.certificate_authority_data": "certificate",
    "cluster.audience": "audience",
  },
  phrases: { "Unknown account": "account_id", "Name ": "name" },
  form: (values, error) => <NamespaceCard values={values} error={error} />,
  lead: (namespace) =>
    namespace !== null && (
      <>
        Added <When at={namespace.created_at} date />
      </>
    ),
  welcome: ({ name }) => `${name} is there. Keys of its account can be given it.`,
  remove: {
    text: "Keys get no more credentials for it; those handed out run out within ten minutes. Refused while a key that is not revoked or expired names it.",
    steps: (id) => [
      <>
        Look at <a href={`/console/admin/keys?names=${encodeURIComponent(id)}`}>the keys that name it</a>.
      </>,
      "Revoke those that nobody needs, or have their owners take the namespace out of their permissions.",
      "Delete the namespace again. Keys with access to all namespaces are no obstacle.",
    ],
  },
});

export const namespacePages = [listPage, ...records];
