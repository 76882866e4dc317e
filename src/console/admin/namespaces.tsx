import { type ListOf, Problem } from "../api.ts";
import {
  ButtonLink,
  Card,
  type Column,
  DataTable,
  EmptyState,
  Filters,
  PageHead,
  When,
} from "../components.tsx";
import type { Fields } from "../forms.ts";
import { Form } from "../layout.tsx";
import { page, type Visit } from "../page.ts";
import { confirmation, done, isConfirmed, show } from "../replies.tsx";
import { fieldError } from "./field-errors.ts";
import {
  AccountOptions,
  accountChoices,
  CHANGED_MEANWHILE,
  filtersOf,
  inUse,
  isNarrowed,
  LinesField,
  Listing,
  NameCell,
  Pages,
  PER_PAGE,
  Refusal,
  TextField,
  trail,
} from "./parts.tsx";
import type { NamespaceView } from "./records.ts";

const LIST = "/console/admin/namespaces";
const pathOf = (id: string) => `${LIST}/${encodeURIComponent(id)}`;
const recordOf = (id: string) => `/admin/namespaces/${encodeURIComponent(id)}`;
const ABOVE = trail({ label: "Namespaces", path: LIST });

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

const listPage = page("admin", {
  method: "GET",
  path: LIST,
  async handle({ api, query }) {
    const filters = filtersOf(query, "account_id");
    const cursor = query.get("cursor");
    const [list, accounts] = await Promise.all([
      api.get<ListOf<NamespaceView>>("/admin/namespaces", { ...filters, cursor, limit: PER_PAGE }),
      accountChoices(api),
    ]);
    return show(
      "Namespaces",
      <>
        <PageHead
          title="Namespaces"
          trail={trail({ label: "Namespaces" })}
          lead="Where in a Kubernetes cluster keys may use kubectl. The cluster must trust this gateway as its token issuer."
        >
          <ButtonLink href={`${LIST}/new`} kind="primary">
            Add namespace
          </ButtonLink>
        </PageHead>
        <Filters action={LIST}>
          <div>
            <label for="account_id">Of account</label>
            <input id="account_id" name="account_id" value={filters.account_id} list="accounts" />
          </div>
        </Filters>
        <AccountOptions accounts={accounts} />
        <Listing
          list={list}
          narrowed={isNarrowed(filters)}
          unmatched="The account has no namespace. Is its id spelled right?"
          empty={
            <EmptyState
              title="No namespaces yet"
              action={
                <ButtonLink href={`${LIST}/new`} kind="primary">
                  Add the first namespace
                </ButtonLink>
              }
            >
              Add one for each namespace that keys should get kubectl credentials for.
            </EmptyState>
          }
        >
          {(rows) => <DataTable caption="Namespaces, by id" columns={COLUMNS} rows={rows} />}
        </Listing>
        <Pages path={LIST} filters={filters} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});

interface Values {
  id: string;
  account_id: string;
  name: string;
  server: string;
  certificate: string;
  audience: string;
  updated_at: string;
}

const readValues = (form: Fields, id: string): Values => ({
  id,
  account_id: form.text("account_id"),
  name: form.text("name"),
  server: form.text("server"),
  certificate: form.text("certificate"),
  audience: form.text("audience"),
  updated_at: form.text("updated_at"),
});

const valuesOf = ({ id, account_id, name, cluster, updated_at }: NamespaceView): Values => ({
  id,
  account_id,
  name,
  server: cluster.server,
  certificate: cluster.certificate_authority_data ?? "",
  audience: cluster.audience,
  updated_at,
});

/** The API takes what a kubeconfig holds; a PEM file is that before base64. */
function certificateData(text: string): string {
  return text.startsWith("-----BEGIN") ? btoa(`${text}\n`) : text.replace(/\s+/g, "");
}

function bodyOf({ account_id, name, server, certificate, audience }: Values) {
  const authority = certificate === "" ? {} : { certificate_authority_data: certificateData(certificate) };
  return { account_id, name, cluster: { server, ...authority, audience } };
}

const FIELDS = {
  id: "id",
  account_id: "account_id",
  name: "name",
  "cluster.server": "server",
  "cluster.certificate_authority_data": "certificate",
  "cluster.audience": "audience",
};

async function namespaceForm(
  { api, visitor }: Visit,
  values: Values,
  { action, problem, submit }: { action: string; problem: Problem | null; submit: string },
) {
  const accounts = await accountChoices(api);
  const error = fieldError(problem, FIELDS, { "Unknown account": "account_id", "Name ": "name" });
  return (
    <Card>
      <Form visitor={visitor} action={action}>
        <Refusal problem={problem} />
        <AccountOptions accounts={accounts} />
        <input type="hidden" name="updated_at" value={values.updated_at} />
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
        <div class="buttons">
          <button class="button primary" type="submit">
            {submit}
          </button>
          <ButtonLink href={LIST}>Cancel</ButtonLink>
        </div>
      </Form>
    </Card>
  );
}

async function newForm(visit: Visit, values: Values, problem: Problem | null = null) {
  const form = await namespaceForm(visit, values, {
    action: `${LIST}/new`,
    problem,
    submit: "Add namespace",
  });
  return show(
    "Add namespace",
    <>
      <PageHead title="Add namespace" trail={ABOVE} />
      {form}
    </>,
    problem?.status ?? 200,
  );
}

const newPage = page("admin", {
  method: "GET",
  path: `${LIST}/new`,
  handle: (visit) =>
    newForm(visit, {
      id: crypto.randomUUID(),
      account_id: "",
      name: "",
      server: "",
      certificate: "",
      audience: "",
      updated_at: "",
    }),
});

const createPage = page("admin", {
  method: "POST",
  path: `${LIST}/new`,
  async handle(visit) {
    const { api, form } = visit;
    const values = readValues(form, form.text("id"));
    if (values.id === "")
      return newForm(visit, values, new Problem(400, "invalid_request", "id is required"));
    const there = await api.get<NamespaceView>(recordOf(values.id));
    if (!(there instanceof Problem)) {
      return newForm(
        visit,
        values,
        new Problem(409, "conflict", `id must be a new one: it is that of ${there.name}`),
      );
    }
    if (there.status !== 404) return there;
    const made = await api.call<NamespaceView>("PUT", recordOf(values.id), { body: bodyOf(values) });
    return made instanceof Problem ? newForm(visit, values, made) : done(LIST, `${made.name} is there.`);
  },
});

async function editForm(
  visit: Visit,
  namespace: NamespaceView,
  values: Values,
  problem: Problem | null = null,
) {
  const { id, name, created_at } = namespace;
  const form = await namespaceForm(visit, values, { action: pathOf(id), problem, submit: "Save changes" });
  return show(
    name,
    <>
      <PageHead
        title={name}
        trail={ABOVE}
        lead={
          <>
            <code>{id}</code>, added <When at={created_at} />
          </>
        }
      />
      {form}
      <Card title="Delete this namespace">
        <p>
          Keys get no more credentials for it; those handed out run out within ten minutes. Refused while a
          key that is not revoked or expired names it.
        </p>
        <Form
          visitor={visit.visitor}
          action={`${pathOf(id)}/delete`}
          confirm={`Delete the namespace ${name}?`}
          yes="Delete namespace"
        >
          <div class="buttons">
            <button class="button danger" type="submit">
              Delete namespace
            </button>
          </div>
        </Form>
      </Card>
    </>,
    problem?.status ?? 200,
  );
}

const showPage = page("admin", {
  method: "GET",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const namespace = await visit.api.get<NamespaceView>(recordOf(visit.params.id!));
    return namespace instanceof Problem ? namespace : editForm(visit, namespace, valuesOf(namespace));
  },
});

const savePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const { api, form, params } = visit;
    const before = await api.get<NamespaceView>(recordOf(params.id!));
    if (before instanceof Problem) return before;
    const values = readValues(form, before.id);
    if (values.updated_at !== before.updated_at) {
      return editForm(visit, before, { ...values, updated_at: before.updated_at }, CHANGED_MEANWHILE);
    }
    const saved = await api.call<NamespaceView>("PUT", recordOf(before.id), { body: bodyOf(values) });
    return saved instanceof Problem
      ? editForm(visit, before, values, saved)
      : done(pathOf(saved.id), `${saved.name} is saved.`);
  },
});

const deletePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}/delete`,
  async handle(visit) {
    const id = visit.params.id!;
    if (!isConfirmed(visit)) {
      return confirmation(visit, {
        title: "Delete namespace",
        question: "Delete this namespace? Keys get no more credentials for it.",
        yes: "Delete namespace",
        danger: true,
        back: pathOf(id),
      });
    }
    const deleted = await visit.api.call("DELETE", recordOf(id));
    if (!(deleted instanceof Problem)) return done(LIST, "The namespace is deleted.");
    if (deleted.code !== "in_use") return deleted;
    return inUse("The namespace is in use", deleted, {
      what: "What to do",
      steps: [
        <>
          Look at <a href={`/console/admin/keys?names=${encodeURIComponent(id)}`}>the keys that name it</a>.
        </>,
        "Revoke those that nobody needs, or have their owners take the namespace out of their permissions.",
        "Delete the namespace again. Keys with access to all namespaces are no obstacle.",
      ],
      back: pathOf(id),
    });
  },
});

export const namespacePages = [listPage, newPage, createPage, showPage, savePage, deletePage];
