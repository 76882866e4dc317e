import { Problem } from "../api.ts";
import { Badge, ButtonLink, Card, type Column, When } from "../components.tsx";
import { FormButtons } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { page } from "../page.ts";
import { confirmation, done, isConfirmed } from "../replies.tsx";
import { TextField } from "./fields.tsx";
import { NameCell } from "./lists.tsx";
import { ACCOUNTS, recordPath } from "./paths.ts";
import { recordList } from "./record-list.tsx";
import { recordPages, type Values } from "./record-pages.tsx";
import type { AccountView } from "./records.ts";

const LIST = ACCOUNTS;
const pathOf = (id: string) => recordPath(LIST, id);
const recordOf = (id: string) => `/admin/accounts/${encodeURIComponent(id)}`;

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

const KIND = { noun: "account", plural: "Accounts", list: LIST, records: "/admin/accounts" };

const listPage = recordList<AccountView>({
  ...KIND,
  lead: "Each owns its keys, endpoints and namespaces, and sees nobody else's.",
  opens: { name: "id", label: "Account id" },
  submit: "Open",
  columns: COLUMNS,
  unmatched: (id) => `There is no account ${id}. An id is looked up as a whole.`,
  empty: "Keys belong to accounts: add one, then its members.",
});

interface AccountValues extends Values {
  name: string;
  active_key_limit: string;
}

const records = recordPages<AccountView, AccountValues>({
  ...KIND,
  key: "id",
  nameOf: ({ id, name }) => ({ id, name }),
  blank: () => ({ id: "", name: "", active_key_limit: "100", updated_at: "" }),
  valuesOf: (account) => ({ ...account, active_key_limit: String(account.active_key_limit) }),
  read: (form, values) => ({
    ...values,
    name: form.text("name"),
    active_key_limit: form.text("active_key_limit"),
  }),
  body: ({ name, active_key_limit: limit }) => ({
    name,
    ...(limit !== "" && { active_key_limit: Number(limit) }),
  }),
  fields: { id: "id", name: "name", active_key_limit: "active_key_limit" },
  phrases: { "Name ": "name" },
  form: ({ id, name, active_key_limit, updated_at }, error) => (
    <Card>
      {updated_at === "" && (
        <TextField
          name="id"
          label="Id"
          value={id}
          error={error}
          required
          mono
          maxlength={63}
          hint="Short and lasting, as session tokens name it. Letters, digits, - and _."
        />
      )}
      <TextField name="name" label="Name" value={name} error={error} required maxlength={64} />
      <TextField
        name="active_key_limit"
        label="Active keys at most"
        type="number"
        min={0}
        max={1_000_000}
        value={active_key_limit}
        error={error}
        hint="Counts keys that are switched on, not revoked and not expired. Lowering it stops no key."
      />
    </Card>
  ),
  lead: (account) =>
    account === null ? (
      "Its people come next: add them under Members."
    ) : (
      <>
        <State suspended={account.suspended} /> Created <When at={account.created_at} date />
      </>
    ),
  links: ({ id }) => (
    <>
      <ButtonLink href={`/console/admin/keys?account_id=${id}`}>Keys</ButtonLink>
      <ButtonLink href={`/console/admin/members?account_id=${id}`}>Members</ButtonLink>
      <ButtonLink href={`/console/admin/endpoints?account_id=${id}`}>Endpoints</ButtonLink>
      <ButtonLink href={`/console/admin/audit-log?account_id=${id}`}>Audit log</ButtonLink>
    </>
  ),
  more: ({ id, name, suspended }, { visitor }) => {
    const { verb, text } = suspended ? REINSTATE : SUSPEND;
    return (
      <Card title={`${verb} this account`}>
        <p>{text}</p>
        <Form
          visitor={visitor}
          action={recordPath(LIST, id, verb.toLowerCase())}
          confirm={`${verb} ${name}? ${text}`}
          yes={`${verb} account`}
        >
          <FormButtons label={`${verb} account`} kind={suspended ? "primary" : "danger"} />
        </Form>
      </Card>
    );
  },
  welcome: ({ name }) => `The account ${name} is there. Add its members next.`,
  remove: {
    text: "Possible only while it has no keys (revoked ones count), endpoints, namespaces or members.",
    steps: (id) => [
      "To stop its keys, suspend the account instead: that works at any time and can be undone.",
      <>
        To delete it, remove its <a href={`/console/admin/endpoints?account_id=${id}`}>endpoints</a>,{" "}
        <a href={`/console/admin/namespaces?account_id=${id}`}>namespaces</a> and{" "}
        <a href={`/console/admin/members?account_id=${id}`}>members</a> first.
      </>,
      "An account that ever had keys stays: they are its history.",
    ],
  },
});

interface Suspension {
  suspended: boolean;
  verb: "Suspend" | "Reinstate";
  text: string;
  result: string;
}

const SUSPEND: Suspension = {
  suspended: true,
  verb: "Suspend",
  text: "All its keys stop working within seconds, at once on endpoints with strict freshness. Nothing is deleted, and it can be undone.",
  result: "is suspended. Its keys are refused.",
};

const REINSTATE: Suspension = {
  suspended: false,
  verb: "Reinstate",
  text: "Its keys work again within seconds, each as far as it is switched on and not expired.",
  result: "is reinstated. Its keys work again.",
};

const suspensions = [SUSPEND, REINSTATE].map(({ suspended, verb, text, result }) =>
  page("admin", {
    method: "POST",
    path: `${LIST}/{id}/${verb.toLowerCase()}`,
    async handle(visit) {
      const { api, params } = visit;
      const account = await api.get<AccountView>(recordOf(params.id!));
      if (account instanceof Problem) return account;
      const { id, name } = account;
      const back = pathOf(id);
      if (!isConfirmed(visit)) {
        const [title, yes] = [`${verb} account`, `${verb} account`];
        return confirmation(visit, {
          title,
          question: `${verb} ${name}? ${text}`,
          yes,
          danger: suspended,
          back,
        });
      }
      const changed = await api.call("PUT", recordOf(id), { body: { name, suspended } });
      return changed instanceof Problem ? changed : done(back, `${name} ${result}`);
    },
  }),
);

export const accountPages = [listPage, ...records, ...suspensions];
