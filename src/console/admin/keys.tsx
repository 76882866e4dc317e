import type { Child } from "hono/jsx";
import { sha256Hex } from "../../keys/hash.ts";
import { type ListOf, Problem } from "../api.ts";
import {
  Badge,
  ButtonLink,
  Card,
  type Column,
  DataTable,
  EmptyState,
  Facts,
  Field,
  Filters,
  NoticeBox,
  PageHead,
  Select,
  Toggle,
  When,
} from "../components.tsx";
import { PermissionFacts } from "../keys/permission-facts.tsx";
import { PERMISSION_LABELS, permissionsOf, STATUS_LABELS, STATUS_TONES } from "../keys/words.ts";
import { Form } from "../layout.tsx";
import { page, type Visit } from "../page.ts";
import { confirmation, done, isConfirmed, show } from "../replies.tsx";
import type { Visitor } from "../visitor.ts";
import {
  ACCOUNTS,
  AccountOptions,
  accountChoices,
  filtersOf,
  isNarrowed,
  Listing,
  NameCell,
  Pages,
  PER_PAGE,
  recordPath,
  trail,
} from "./parts.tsx";
import type { AccountView, AdminKeyView } from "./records.ts";

const LIST = "/console/admin/keys";
const FIND = `${LIST}/find`;
const pathOf = (id: string) => `${LIST}/${encodeURIComponent(id)}`;
const recordOf = (id: string) => `/admin/keys/${encodeURIComponent(id)}`;

const shownPrefix = (prefix: string) => (prefix === "" ? "" : `${prefix}…`);

/** The switch of a key that can still come to life, else what became of it. */
function State({ visitor, entry, back }: { visitor: Visitor; entry: AdminKeyView; back: string }) {
  const { id, name, enabled, status } = entry;
  if (status === "revoked" || status === "expired") {
    return <Badge tone={STATUS_TONES[status]}>{STATUS_LABELS[status]}</Badge>;
  }
  return (
    <Form visitor={visitor} action={`${pathOf(id)}/toggle`}>
      <input type="hidden" name="back" value={back} />
      <Toggle on={enabled} label={`API key ${name}`} />
    </Form>
  );
}

/** The button that ends a key. `back` is where the page goes on; it never holds a key. */
function Revoke({ visitor, entry, back }: { visitor: Visitor; entry: AdminKeyView; back: string }) {
  const { id, name, status } = entry;
  if (status === "revoked") return <span class="quiet">Done</span>;
  return (
    <Form
      visitor={visitor}
      action={`${pathOf(id)}/revoke`}
      confirm={`Revoke ${name}? It stops working for ever.`}
      yes="Revoke key"
    >
      <input type="hidden" name="back" value={back} />
      <button class="button danger small" type="submit" aria-label={`Revoke ${name}`}>
        Revoke
      </button>
    </Form>
  );
}

function columns(visitor: Visitor, back: string): Column<AdminKeyView>[] {
  return [
    {
      label: "Name",
      heading: true,
      cell: ({ id, name, prefix }) => (
        <NameCell name={name} id={shownPrefix(prefix) || id} href={pathOf(id)} />
      ),
    },
    {
      label: "Account",
      cell: ({ account_id }) => <a href={recordPath(ACCOUNTS, account_id)}>{account_id}</a>,
    },
    { label: "Permission", cell: ({ permission }) => PERMISSION_LABELS[permission] },
    { label: "Made by", cell: ({ created_by }) => created_by },
    { label: "Last used", cell: ({ last_used_at }) => <When at={last_used_at} /> },
    { label: "Status", cell: (entry) => <State visitor={visitor} entry={entry} back={back} /> },
    { label: "Revoke", cell: (entry) => <Revoke visitor={visitor} entry={entry} back={back} /> },
  ];
}

const listPage = page("admin", {
  method: "GET",
  path: LIST,
  async handle({ api, query, visitor, arrival }) {
    const filters = filtersOf(query, "q", "account_id", "status", "environment", "names");
    const cursor = query.get("cursor");
    const [list, accounts] = await Promise.all([
      api.get<ListOf<AdminKeyView>>("/admin/keys", { ...filters, cursor, limit: PER_PAGE }),
      accountChoices(api),
    ]);
    const back = arrival.url.query === "" ? LIST : `${LIST}?${arrival.url.query}`;
    return show(
      "All keys",
      <>
        <PageHead
          title="All keys"
          trail={trail({ label: "All keys" })}
          lead="API keys of every account, newest first."
        >
          <ButtonLink href={FIND} kind="primary">
            Find a leaked key's owner
          </ButtonLink>
        </PageHead>
        <Filters action={LIST}>
          <div>
            <label for="q">Name or beginning of the key</label>
            {/* What is typed here goes into the address: not enough of a key for it to be of use there. */}
            <input id="q" name="q" type="search" value={filters.q} maxlength={20} />
          </div>
          <div>
            <label for="account_id">Account</label>
            <input id="account_id" name="account_id" value={filters.account_id} list="accounts" />
          </div>
          <div>
            <label for="status">Status</label>
            <Select
              name="status"
              value={filters.status}
              options={[
                ["", "Any"],
                ["active", "Active"],
                ["disabled", "Disabled"],
                ["expired", "Expired"],
                ["revoked", "Revoked"],
              ]}
            />
          </div>
          <div>
            <label for="environment">Environment</label>
            <Select
              name="environment"
              value={filters.environment}
              options={[
                ["", "Any"],
                ["production", "Production"],
                ["test", "Test"],
              ]}
            />
          </div>
          <div>
            <label for="names">Names endpoint or namespace</label>
            <input id="names" name="names" value={filters.names} placeholder="Id" />
          </div>
        </Filters>
        <AccountOptions accounts={accounts} />
        <Listing
          list={list}
          narrowed={isNarrowed(filters)}
          unmatched="No key fits. Try less of the name, or any status."
          empty={
            <EmptyState
              title="No API keys yet"
              action={<ButtonLink href="/console/admin/import">Import keys</ButtonLink>}
            >
              People make keys in their own accounts; keys of another system can be imported.
            </EmptyState>
          }
        >
          {(rows) => (
            <DataTable caption="API keys, newest first" columns={columns(visitor, back)} rows={rows} />
          )}
        </Listing>
        <Pages path={LIST} filters={filters} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});

/** A key and its owner, as far as an admin sees them. */
function KeyCard({
  visitor,
  entry,
  account,
  back,
}: {
  visitor: Visitor;
  entry: AdminKeyView;
  account: AccountView | null;
  back: string;
}) {
  return (
    <Card title={entry.name}>
      <Facts
        facts={[
          [
            "Account",
            <>
              <a href={recordPath(ACCOUNTS, entry.account_id)}>{account?.name ?? entry.account_id}</a>{" "}
              <code class="quiet">{entry.account_id}</code>
            </>,
          ],
          ["Made by", entry.created_by],
          ["Status", <Badge tone={STATUS_TONES[entry.status]}>{STATUS_LABELS[entry.status]}</Badge>],
          ["Permission", PERMISSION_LABELS[entry.permission]],
          ["Key", <code>{shownPrefix(entry.prefix) || entry.id}</code>],
          ["Environment", entry.environment === "test" ? "Test" : "Production"],
          ["Created", <When at={entry.created_at} />],
          ["Last used", <When at={entry.last_used_at} />],
          ["Expires", <When at={entry.expires_at} />],
          ["Revoked", <When at={entry.revoked_at} empty="No" />],
        ]}
      />
      <div class="buttons">
        {entry.status !== "revoked" && entry.status !== "expired" && (
          <State visitor={visitor} entry={entry} back={back} />
        )}
        {entry.status !== "revoked" && <Revoke visitor={visitor} entry={entry} back={back} />}
        <ButtonLink href={`/console/admin/audit-log?subject=${entry.id}`}>History</ButtonLink>
        <ButtonLink href={`/console/admin/members?account_id=${entry.account_id}`}>Whom to tell</ButtonLink>
      </div>
    </Card>
  );
}

async function ownerOf({ api }: Visit, { account_id }: AdminKeyView): Promise<AccountView | null> {
  const account = await api.get<AccountView>(`/admin/accounts/${encodeURIComponent(account_id)}`);
  return account instanceof Problem ? null : account;
}

const showPage = page("admin", {
  method: "GET",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const entry = await visit.api.get<AdminKeyView>(recordOf(visit.params.id!));
    if (entry instanceof Problem) return entry;
    return show(
      entry.name,
      <>
        <PageHead title={entry.name} trail={trail({ label: "All keys", path: LIST }, { label: entry.id })} />
        <KeyCard
          visitor={visit.visitor}
          entry={entry}
          account={await ownerOf(visit, entry)}
          back={pathOf(entry.id)}
        />
        <Card title="What it may do">
          <PermissionFacts permissions={permissionsOf(entry.scopes)} choices={null} />
        </Card>
      </>,
    );
  },
});

function findForm({ visitor }: Visit, answer: Child = null, status = 200) {
  return show(
    "Find a leaked key's owner",
    <>
      <PageHead
        title="Find a leaked key's owner"
        trail={trail({ label: "All keys", path: LIST }, { label: "Find" })}
        lead="Whose is the key that turned up in a repository or a log? It is looked up by its hash, and neither kept nor logged."
      />
      {answer}
      <Card>
        <Form visitor={visitor} action={FIND}>
          <Field
            name="secret"
            label="The whole key, or its SHA-256"
            hint="64 hexadecimal digits for a SHA-256. With the hash alone, the key need not pass through anybody's clipboard again."
          >
            <input
              id="secret"
              name="secret"
              required
              maxlength={512}
              class="mono"
              autocomplete="off"
              aria-describedby="secret-hint"
            />
          </Field>
          <div class="buttons">
            <button class="button primary" type="submit">
              Find owner
            </button>
          </div>
        </Form>
      </Card>
    </>,
    status,
  );
}

const findPage = page("admin", { method: "GET", path: FIND, handle: (visit) => findForm(visit) });

const foundPage = page("admin", {
  method: "POST",
  path: FIND,
  async handle(visit) {
    const { api, form, visitor } = visit;
    const secret = form.text("secret");
    if (secret === "") {
      return findForm(visit, <NoticeBox kind="error">Paste the key, or its SHA-256.</NoticeBox>, 400);
    }
    // The API is asked by the hash: so not even the call in here has a key in its URL.
    const q = /^[0-9a-f]{64}$/i.test(secret) ? secret : sha256Hex(secret);
    const found = await api.get<ListOf<AdminKeyView>>("/admin/keys", { q, limit: 1 });
    if (found instanceof Problem) return found;
    const [entry] = found.data;
    if (entry === undefined) {
      return findForm(
        visit,
        <NoticeBox kind="info" title="Nobody here has that key">
          It is not a key of this gateway, or not the whole of one. A key of another gateway opens nothing
          here.
        </NoticeBox>,
      );
    }
    const account = await ownerOf(visit, entry);
    const works = entry.status === "active" && account?.suspended !== true;
    return findForm(
      visit,
      <>
        <NoticeBox
          kind={works ? "warning" : "success"}
          title={`It belongs to ${account?.name ?? entry.account_id}`}
        >
          {works
            ? "It works right now. Whoever has it can use it until it is revoked."
            : `It does not work: ${account?.suspended ? "the account is suspended" : `it is ${entry.status}`}.`}
        </NoticeBox>
        <KeyCard visitor={visitor} entry={entry} account={account} back={pathOf(entry.id)} />
      </>,
    );
  },
});

/** Where a form came from, if that is one of these pages. */
function backFrom({ form, params }: Visit): string {
  const back = form.text("back");
  return back === LIST || back.startsWith(`${LIST}?`) ? back : pathOf(params.id!);
}

const togglePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}/toggle`,
  async handle(visit) {
    const enabled = visit.form.text("enabled") === "on";
    const entry = await visit.api.call<AdminKeyView>("PATCH", recordOf(visit.params.id!), {
      body: { enabled },
    });
    if (entry instanceof Problem) return entry;
    return done(
      backFrom(visit),
      enabled ? `${entry.name} is on.` : `${entry.name} is off. It is refused from now on.`,
    );
  },
});

const revokePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}/revoke`,
  async handle(visit) {
    const { api, params } = visit;
    if (!isConfirmed(visit)) {
      const entry = await api.get<AdminKeyView>(recordOf(params.id!));
      if (entry instanceof Problem) return entry;
      return confirmation(visit, {
        title: "Revoke key",
        question: `Revoke ${entry.name} of the account ${entry.account_id}? It stops working for ever.`,
        yes: "Revoke key",
        danger: true,
        back: backFrom(visit),
      });
    }
    const revoked = await api.call<AdminKeyView>("POST", `${recordOf(params.id!)}/revoke`);
    return revoked instanceof Problem
      ? revoked
      : done(backFrom(visit), `${revoked.name} is revoked. It stopped working.`);
  },
});

export const allKeysPages = [listPage, findPage, foundPage, showPage, togglePage, revokePage];
