import { Badge, Card, type Column, When } from "../components.tsx";
import { Select } from "../form-controls.tsx";
import type { FieldError } from "./field-errors.ts";
import { CheckField, TextField } from "./fields.tsx";
import { recordPath } from "./paths.ts";
import { recordList } from "./record-list.tsx";
import { recordPages, type Values } from "./record-pages.tsx";
import type { MemberView } from "./records.ts";

const LIST = "/console/admin/members";
const pathOf = (email: string) => recordPath(LIST, email);

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

const KIND = { noun: "member", plural: "Members", list: LIST, records: "/admin/members" };

const listPage = recordList<MemberView>({
  ...KIND,
  lead: "What people may manage when they sign in with these addresses. Session tokens that name an account themselves are not looked up here.",
  opens: { name: "email", label: "Address" },
  ofAccount: "Of account",
  addsToAccount: true,
  columns: COLUMNS,
  by: "address",
  unmatched: () =>
    "There is no such member. Is it spelled right? Addresses and ids are looked up as a whole.",
  empty: "Add the address somebody signs in with, and the accounts they may manage.",
});

interface MemberValues extends Values {
  /** As typed, empty rows and all. */
  accounts: { account_id: string; role: string }[];
  admin: boolean;
}

const ROLES: readonly (readonly [string, string])[] = [
  ["owner", "Owner: everything"],
  ["member", "Member: makes keys, sees their own"],
  ["viewer", "Viewer: looks, changes nothing"],
  ["none", "No access"],
];

function MemberCard({ values, error }: { values: MemberValues; error: FieldError | null }) {
  const rows = values.accounts.filter(({ account_id }) => account_id !== "");
  for (let i = 0; i < SPARE_ROWS; i += 1) rows.push({ account_id: "", role: "member" });
  return (
    <Card>
      {values.updated_at === "" && (
        <TextField
          name="email"
          label="E-mail address"
          type="email"
          value={values.id}
          error={error}
          required
          hint="The one the sign-in service has verified. No message is sent."
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
    </Card>
  );
}

const records = recordPages<MemberView, MemberValues>({
  ...KIND,
  key: "email",
  nameOf: ({ email }) => ({ id: email, name: email }),
  blank({ query }) {
    const account_id = query.get("account_id") ?? "";
    return { id: "", accounts: [{ account_id, role: "member" }], admin: false, updated_at: "" };
  },
  valuesOf: (member) => ({ ...member, id: member.email }),
  read(form, values) {
    const roles = form.all("role");
    return {
      ...values,
      accounts: form.all("account_id").map((id, i) => ({ account_id: id.trim(), role: roles[i] ?? "" })),
      admin: form.has("admin"),
    };
  },
  body: ({ accounts, admin }) => ({
    accounts: accounts.filter(({ account_id, role }) => account_id !== "" && role !== "none"),
    admin,
  }),
  fields: { email: "email", accounts: "accounts" },
  phrases: { "Unknown account": "accounts" },
  form: (values, error) => <MemberCard values={values} error={error} />,
  lead: (member) =>
    member === null ? (
      "They may sign in at once."
    ) : (
      <>
        Added <When at={member.created_at} date />. Changes count from their next click.
      </>
    ),
  welcome: ({ email }) => `${email} is a member.`,
  remove: {
    verb: "Remove",
    text: "They can no longer manage anything here. Keys they made keep working: those are the account's.",
  },
});

export const memberPages = [listPage, ...records];
