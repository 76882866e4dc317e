import { type ListOf, Problem } from "../api.ts";
import {
  Badge,
  ButtonLink,
  Card,
  type Column,
  DataTable,
  EmptyState,
  Filters,
  PageHead,
  Select,
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
  CheckField,
  filtersOf,
  isNarrowed,
  Listing,
  Pages,
  PER_PAGE,
  Refusal,
  TextField,
  trail,
} from "./parts.tsx";
import type { MemberView } from "./records.ts";

const LIST = "/console/admin/members";
const pathOf = (email: string) => `${LIST}/${encodeURIComponent(email)}`;
const recordOf = (email: string) => `/admin/members/${encodeURIComponent(email)}`;
const ABOVE = trail({ label: "Members", path: LIST });

/** Rows that a form offers beyond the accounts somebody is in; those left empty count for nothing. */
const SPARE_ROWS = 2;

const COLUMNS: readonly Column<MemberView>[] = [
  { label: "Person", heading: true, cell: ({ email }) => <a href={pathOf(email)}>{email}</a> },
  {
    label: "May manage",
    cell: ({ accounts }) =>
      accounts.length === 0 ? (
        <span class="quiet">No account</span>
      ) : (
        <ul class="plain">
          {accounts.map(({ account_id, role }) => (
            <li>
              <code>{account_id}</code> <Badge>{role}</Badge>
            </li>
          ))}
        </ul>
      ),
  },
  {
    label: "Admin",
    cell: ({ admin }) => (admin ? <Badge tone="accent">admin</Badge> : <span class="quiet">No</span>),
  },
  { label: "Added", cell: ({ created_at }) => <When at={created_at} date /> },
];

const listPage = page("admin", {
  method: "GET",
  path: LIST,
  async handle({ api, query }) {
    const filters = filtersOf(query, "account_id");
    const cursor = query.get("cursor");
    const [list, accounts] = await Promise.all([
      api.get<ListOf<MemberView>>("/admin/members", { ...filters, cursor, limit: PER_PAGE }),
      accountChoices(api),
    ]);
    const add = `${LIST}/new${filters.account_id === "" ? "" : `?account_id=${encodeURIComponent(filters.account_id)}`}`;
    return show(
      "Members",
      <>
        <PageHead
          title="Members"
          trail={trail({ label: "Members" })}
          lead="What people may manage when they sign in with these addresses. Session tokens that name an account themselves are not looked up here."
        >
          <ButtonLink href={add} kind="primary">
            Add member
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
          unmatched="Nobody is a member of this account. Is its id spelled right?"
          empty={
            <EmptyState
              title="No members yet"
              action={
                <ButtonLink href={add} kind="primary">
                  Add the first member
                </ButtonLink>
              }
            >
              Add the address somebody signs in with, and the accounts they may manage.
            </EmptyState>
          }
        >
          {(rows) => <DataTable caption="Members, by address" columns={COLUMNS} rows={rows} />}
        </Listing>
        <Pages path={LIST} filters={filters} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});

interface Values {
  email: string;
  /** As typed, empty rows and all. */
  accounts: { account_id: string; role: string }[];
  admin: boolean;
  updated_at: string;
}

function readValues(form: Fields, email: string): Values {
  const roles = form.all("role");
  return {
    email,
    accounts: form.all("account_id").map((id, i) => ({ account_id: id.trim(), role: roles[i] ?? "" })),
    admin: form.has("admin"),
    updated_at: form.text("updated_at"),
  };
}

const bodyOf = ({ accounts, admin }: Values) => ({
  accounts: accounts.filter(({ account_id, role }) => account_id !== "" && role !== "none"),
  admin,
});

const ROLES: readonly (readonly [string, string])[] = [
  ["owner", "Owner: everything"],
  ["member", "Member: makes keys, sees their own"],
  ["viewer", "Viewer: looks, changes nothing"],
  ["none", "No access"],
];

async function memberForm(
  { api, visitor }: Visit,
  values: Values,
  { action, problem, submit }: { action: string; problem: Problem | null; submit: string },
) {
  const accounts = await accountChoices(api);
  const error = fieldError(
    problem,
    { email: "email", accounts: "accounts" },
    { "Unknown account": "accounts" },
  );
  const rows = [...values.accounts.filter(({ account_id }) => account_id !== "")];
  for (let i = 0; i < SPARE_ROWS; i += 1) rows.push({ account_id: "", role: "member" });
  return (
    <Card>
      <Form visitor={visitor} action={action}>
        <Refusal problem={problem} />
        <AccountOptions accounts={accounts} />
        <input type="hidden" name="updated_at" value={values.updated_at} />
        {values.updated_at === "" && (
          <TextField
            name="email"
            label="E-mail address"
            type="email"
            value={values.email}
            error={error}
            required
            hint="The one the sign-in service has verified."
          />
        )}
        <fieldset>
          <legend>Accounts</legend>
          {error?.field === "accounts" && <p class="error">{error.message}</p>}
          <div class="rows">
            {rows.map(({ account_id, role }, i) => (
              <div class="row">
                <div>
                  <label for={`account-${i}`}>
                    Account<span class="unseen"> {i + 1}</span>
                  </label>
                  <input
                    id={`account-${i}`}
                    name="account_id"
                    value={account_id}
                    list="accounts"
                    class="mono"
                    autocomplete="off"
                  />
                </div>
                <div>
                  <label for={`role-${i}`}>
                    Role<span class="unseen"> {i + 1}</span>
                  </label>
                  <Select name="role" id={`role-${i}`} value={role} options={ROLES} />
                </div>
              </div>
            ))}
          </div>
          <p class="hint">Rows without an account count for nothing. Save, and there are two more.</p>
        </fieldset>
        <CheckField
          name="admin"
          label="Admin of this gateway"
          checked={values.admin}
          hint="Sees and changes all accounts, endpoints and keys: this part of the console."
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
  const form = await memberForm(visit, values, { action: `${LIST}/new`, problem, submit: "Add member" });
  return show(
    "Add member",
    <>
      <PageHead title="Add member" trail={ABOVE} lead="They may sign in at once; no message is sent." />
      {form}
    </>,
    problem?.status ?? 200,
  );
}

const newPage = page("admin", {
  method: "GET",
  path: `${LIST}/new`,
  handle(visit) {
    const account_id = visit.query.get("account_id") ?? "";
    const accounts = account_id === "" ? [] : [{ account_id, role: "member" }];
    return newForm(visit, { email: "", accounts, admin: false, updated_at: "" });
  },
});

const createPage = page("admin", {
  method: "POST",
  path: `${LIST}/new`,
  async handle(visit) {
    const { api, form } = visit;
    const values = readValues(form, form.text("email"));
    if (values.email === "") {
      return newForm(visit, values, new Problem(400, "invalid_request", "email is required"));
    }
    const there = await api.get<MemberView>(recordOf(values.email));
    if (!(there instanceof Problem)) {
      const taken = `email must be a new one: ${there.email} is a member already`;
      return newForm(visit, values, new Problem(409, "conflict", taken));
    }
    if (there.status !== 404) return there;
    const made = await api.call<MemberView>("PUT", recordOf(values.email), { body: bodyOf(values) });
    return made instanceof Problem ? newForm(visit, values, made) : done(LIST, `${made.email} is a member.`);
  },
});

async function editForm(visit: Visit, member: MemberView, values: Values, problem: Problem | null = null) {
  const { email, created_at } = member;
  const form = await memberForm(visit, values, { action: pathOf(email), problem, submit: "Save changes" });
  return show(
    email,
    <>
      <PageHead
        title={email}
        trail={ABOVE}
        lead={
          <>
            Added <When at={created_at} />. Changes count from their next click.
          </>
        }
      />
      {form}
      <Card title="Remove this member">
        <p>They can no longer manage anything here. Keys they made keep working: those are the account's.</p>
        <Form
          visitor={visit.visitor}
          action={`${pathOf(email)}/remove`}
          confirm={`Remove ${email}?`}
          yes="Remove member"
        >
          <div class="buttons">
            <button class="button danger" type="submit">
              Remove member
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
  path: `${LIST}/{email}`,
  async handle(visit) {
    const member = await visit.api.get<MemberView>(recordOf(visit.params.email!));
    return member instanceof Problem ? member : editForm(visit, member, member);
  },
});

const savePage = page("admin", {
  method: "POST",
  path: `${LIST}/{email}`,
  async handle(visit) {
    const { api, form, params } = visit;
    const before = await api.get<MemberView>(recordOf(params.email!));
    if (before instanceof Problem) return before;
    const values = readValues(form, before.email);
    if (values.updated_at !== before.updated_at) {
      return editForm(visit, before, { ...values, updated_at: before.updated_at }, CHANGED_MEANWHILE);
    }
    const saved = await api.call<MemberView>("PUT", recordOf(before.email), { body: bodyOf(values) });
    return saved instanceof Problem
      ? editForm(visit, before, values, saved)
      : done(pathOf(saved.email), `${saved.email} is saved.`);
  },
});

const removePage = page("admin", {
  method: "POST",
  path: `${LIST}/{email}/remove`,
  async handle(visit) {
    const email = visit.params.email!;
    if (!isConfirmed(visit)) {
      return confirmation(visit, {
        title: "Remove member",
        question: `Remove ${email}? They can no longer manage anything here.`,
        yes: "Remove member",
        danger: true,
        back: pathOf(email),
      });
    }
    const removed = await visit.api.call("DELETE", recordOf(email));
    return removed instanceof Problem ? removed : done(LIST, `${email} is removed.`);
  },
});

export const memberPages = [listPage, newPage, createPage, showPage, savePage, removePage];
