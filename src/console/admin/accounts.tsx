import { type ListOf, Problem } from "../api.ts";
import {
  Badge,
  ButtonLink,
  Card,
  type Column,
  DataTable,
  EmptyState,
  PageHead,
  When,
} from "../components.tsx";
import type { Fields } from "../forms.ts";
import { Form } from "../layout.tsx";
import { page, type Visit } from "../page.ts";
import { confirmation, done, goTo, isConfirmed, show } from "../replies.tsx";
import type { Visitor } from "../visitor.ts";
import { fieldError } from "./field-errors.ts";
import {
  CHANGED_MEANWHILE,
  inUse,
  Listing,
  NameCell,
  Pages,
  PER_PAGE,
  Refusal,
  TextField,
  trail,
} from "./parts.tsx";
import type { AccountView } from "./records.ts";

const LIST = "/console/admin/accounts";
const pathOf = (id: string) => `${LIST}/${encodeURIComponent(id)}`;
const recordOf = (id: string) => `/admin/accounts/${encodeURIComponent(id)}`;
const ABOVE = trail({ label: "Accounts", path: LIST });

const State = ({ suspended }: { suspended: boolean }) =>
  suspended ? <Badge tone="bad">suspended</Badge> : <Badge tone="good">active</Badge>;

const COLUMNS: readonly Column<AccountView>[] = [
  {
    label: "Account",
    heading: true,
    cell: ({ id, name }) => <NameCell name={name} id={id} href={pathOf(id)} />,
  },
  { label: "Status", cell: ({ suspended }) => <State suspended={suspended} /> },
  { label: "Active keys at most", number: true, cell: ({ active_key_limit }) => active_key_limit },
  { label: "Created", cell: ({ created_at }) => <When at={created_at} date /> },
  {
    label: "Has",
    cell: ({ id, name }) => (
      <div class="actions">
        <ButtonLink href={`/console/admin/keys?account_id=${id}`} small label={`Keys of ${name}`}>
          Keys
        </ButtonLink>
        <ButtonLink href={`/console/admin/members?account_id=${id}`} small label={`Members of ${name}`}>
          Members
        </ButtonLink>
      </div>
    ),
  },
];

const listPage = page("admin", {
  method: "GET",
  path: LIST,
  async handle({ api, query }) {
    const id = (query.get("id") ?? "").trim();
    if (id !== "") {
      const found = await api.get<AccountView>(recordOf(id));
      if (!(found instanceof Problem)) return goTo(pathOf(found.id));
      if (found.status !== 404) return found;
    }
    const cursor = query.get("cursor");
    const list =
      id === ""
        ? await api.get<ListOf<AccountView>>("/admin/accounts", { cursor, limit: PER_PAGE })
        : { data: [], next_cursor: null };
    return show(
      "Accounts",
      <>
        <PageHead
          title="Accounts"
          trail={trail({ label: "Accounts" })}
          lead="Each owns its keys, endpoints and namespaces, and sees nobody else's."
        >
          <ButtonLink href={`${LIST}/new`} kind="primary">
            Add account
          </ButtonLink>
        </PageHead>
        <search>
          <form method="get" action={LIST} class="filters">
            <div>
              <label for="id">Account id</label>
              <input id="id" name="id" value={id} />
            </div>
            <button class="button" type="submit">
              Open
            </button>
          </form>
        </search>
        <Listing
          list={list}
          narrowed={id !== ""}
          unmatched={`There is no account ${id}. An id is looked up as a whole.`}
          empty={
            <EmptyState
              title="No accounts yet"
              action={
                <ButtonLink href={`${LIST}/new`} kind="primary">
                  Add the first account
                </ButtonLink>
              }
            >
              Keys belong to accounts: add one, then its members.
            </EmptyState>
          }
        >
          {(rows) => <DataTable caption="Accounts, by id" columns={COLUMNS} rows={rows} />}
        </Listing>
        <Pages path={LIST} filters={{}} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});

interface Values {
  id: string;
  name: string;
  active_key_limit: string;
  updated_at: string;
}

const readValues = (form: Fields, id: string): Values => ({
  id,
  name: form.text("name"),
  active_key_limit: form.text("active_key_limit"),
  updated_at: form.text("updated_at"),
});

const bodyOf = ({ name, active_key_limit: limit }: Values) => ({
  name,
  ...(limit !== "" && { active_key_limit: Number(limit) }),
});

function AccountForm({
  visitor,
  action,
  values,
  problem,
  submit,
}: {
  visitor: Visitor;
  action: string;
  values: Values;
  problem: Problem | null;
  submit: string;
}) {
  const error = fieldError(
    problem,
    { id: "id", name: "name", active_key_limit: "active_key_limit" },
    { "Name ": "name" },
  );
  return (
    <Card {...(values.updated_at !== "" && { title: "Settings" })}>
      <Form visitor={visitor} action={action}>
        <Refusal problem={problem} />
        <input type="hidden" name="updated_at" value={values.updated_at} />
        {values.updated_at === "" && (
          <TextField
            name="id"
            label="Id"
            value={values.id}
            error={error}
            required
            mono
            maxlength={63}
            hint="Short and lasting, as session tokens name it. Letters, digits, - and _."
          />
        )}
        <TextField name="name" label="Name" value={values.name} error={error} required maxlength={64} />
        <TextField
          name="active_key_limit"
          label="Active keys at most"
          type="number"
          min={0}
          max={1_000_000}
          value={values.active_key_limit}
          error={error}
          hint="Counts keys that are switched on, not revoked and not expired. Lowering it stops no key."
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

function newForm({ visitor }: Visit, values: Values, problem: Problem | null = null) {
  return show(
    "Add account",
    <>
      <PageHead title="Add account" trail={ABOVE} lead="Its people come next: add them under Members." />
      <AccountForm
        visitor={visitor}
        action={`${LIST}/new`}
        values={values}
        problem={problem}
        submit="Add account"
      />
    </>,
    problem?.status ?? 200,
  );
}

const newPage = page("admin", {
  method: "GET",
  path: `${LIST}/new`,
  handle: (visit) => newForm(visit, { id: "", name: "", active_key_limit: "100", updated_at: "" }),
});

const createPage = page("admin", {
  method: "POST",
  path: `${LIST}/new`,
  async handle(visit) {
    const { api, form } = visit;
    const values = readValues(form, form.text("id"));
    if (values.id === "")
      return newForm(visit, values, new Problem(400, "invalid_request", "id is required"));
    const there = await api.get<AccountView>(recordOf(values.id));
    if (!(there instanceof Problem)) {
      return newForm(
        visit,
        values,
        new Problem(409, "conflict", `id must be a new one: ${values.id} is an account already`),
      );
    }
    if (there.status !== 404) return there;
    const made = await api.call<AccountView>("PUT", recordOf(values.id), { body: bodyOf(values) });
    return made instanceof Problem
      ? newForm(visit, values, made)
      : done(pathOf(made.id), `The account ${made.name} is there. Add its members next.`);
  },
});

function editForm({ visitor }: Visit, account: AccountView, values: Values, problem: Problem | null = null) {
  const { id, name, suspended, created_at } = account;
  return show(
    name,
    <>
      <PageHead
        title={name}
        trail={[...ABOVE, { label: id }]}
        lead={
          <>
            <State suspended={suspended} /> Created <When at={created_at} />
          </>
        }
      >
        <ButtonLink href={`/console/admin/keys?account_id=${id}`}>Keys</ButtonLink>
        <ButtonLink href={`/console/admin/members?account_id=${id}`}>Members</ButtonLink>
        <ButtonLink href={`/console/admin/endpoints?account_id=${id}`}>Endpoints</ButtonLink>
        <ButtonLink href={`/console/admin/audit-log?account_id=${id}`}>Audit log</ButtonLink>
      </PageHead>
      <AccountForm
        visitor={visitor}
        action={pathOf(id)}
        values={values}
        problem={problem}
        submit="Save changes"
      />
      <Card title={suspended ? "Reinstate this account" : "Suspend this account"}>
        <p>
          {suspended
            ? "Its keys work again within seconds, each as far as it is switched on and not expired."
            : "Every key of it stops working within seconds, at once on endpoints with strict freshness. Nothing is deleted, and it can be undone."}
        </p>
        <Form
          visitor={visitor}
          action={`${pathOf(id)}/${suspended ? "reinstate" : "suspend"}`}
          confirm={
            suspended
              ? `Reinstate ${name}? Its keys work again.`
              : `Suspend ${name}? All its keys stop working.`
          }
          yes={suspended ? "Reinstate account" : "Suspend account"}
        >
          <div class="buttons">
            <button class={suspended ? "button primary" : "button danger"} type="submit">
              {suspended ? "Reinstate account" : "Suspend account"}
            </button>
          </div>
        </Form>
      </Card>
      <Card title="Delete this account">
        <p>Only while it has no keys (revoked ones count), endpoints, namespaces or members.</p>
        <Form
          visitor={visitor}
          action={`${pathOf(id)}/delete`}
          confirm={`Delete the account ${name}?`}
          yes="Delete account"
        >
          <div class="buttons">
            <button class="button danger" type="submit">
              Delete account
            </button>
          </div>
        </Form>
      </Card>
    </>,
    problem?.status ?? 200,
  );
}

const valuesOf = ({ id, name, active_key_limit, updated_at }: AccountView): Values => ({
  id,
  name,
  active_key_limit: String(active_key_limit),
  updated_at,
});

const showPage = page("admin", {
  method: "GET",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const account = await visit.api.get<AccountView>(recordOf(visit.params.id!));
    return account instanceof Problem ? account : editForm(visit, account, valuesOf(account));
  },
});

const savePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const { api, form, params } = visit;
    const before = await api.get<AccountView>(recordOf(params.id!));
    if (before instanceof Problem) return before;
    const values = readValues(form, before.id);
    if (values.updated_at !== before.updated_at) {
      return editForm(visit, before, { ...values, updated_at: before.updated_at }, CHANGED_MEANWHILE);
    }
    const saved = await api.call<AccountView>("PUT", recordOf(before.id), { body: bodyOf(values) });
    return saved instanceof Problem
      ? editForm(visit, before, values, saved)
      : done(pathOf(saved.id), `${saved.name} is saved.`);
  },
});

/** Suspending and reinstating: the same change, either way. */
function suspension(suspended: boolean) {
  const verb = suspended ? "Suspend" : "Reinstate";
  return page("admin", {
    method: "POST",
    path: `${LIST}/{id}/${verb.toLowerCase()}`,
    async handle(visit) {
      const { api, params } = visit;
      const account = await api.get<AccountView>(recordOf(params.id!));
      if (account instanceof Problem) return account;
      const { id, name } = account;
      if (!isConfirmed(visit)) {
        return confirmation(visit, {
          title: `${verb} account`,
          question: suspended
            ? `Suspend ${name}? All its keys stop working.`
            : `Reinstate ${name}? Its keys work again.`,
          yes: `${verb} account`,
          danger: suspended,
          back: pathOf(id),
        });
      }
      const changed = await api.call("PUT", recordOf(id), { body: { name, suspended } });
      if (changed instanceof Problem) return changed;
      return done(
        pathOf(id),
        suspended ? `${name} is suspended. Its keys are refused.` : `${name} is reinstated.`,
      );
    },
  });
}

const deletePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}/delete`,
  async handle(visit) {
    const id = visit.params.id!;
    if (!isConfirmed(visit)) {
      return confirmation(visit, {
        title: "Delete account",
        question: `Delete the account ${id}?`,
        yes: "Delete account",
        danger: true,
        back: pathOf(id),
      });
    }
    const deleted = await visit.api.call("DELETE", recordOf(id));
    if (!(deleted instanceof Problem)) return done(LIST, `The account ${id} is deleted.`);
    if (deleted.code !== "in_use") return deleted;
    return inUse("The account is in use", deleted, {
      what: "What to do",
      steps: [
        "To stop its keys, suspend the account instead: that works at any time and can be undone.",
        <>
          To delete it, remove its <a href={`/console/admin/endpoints?account_id=${id}`}>endpoints</a>,{" "}
          <a href={`/console/admin/namespaces?account_id=${id}`}>namespaces</a> and{" "}
          <a href={`/console/admin/members?account_id=${id}`}>members</a> first.
        </>,
        "An account that ever had keys stays: they are its history.",
      ],
      back: pathOf(id),
    });
  },
});

export const accountPages = [
  listPage,
  newPage,
  createPage,
  showPage,
  savePage,
  suspension(true),
  suspension(false),
  deletePage,
];
