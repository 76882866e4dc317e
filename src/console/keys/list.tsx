import { KEY_MAKERS, READERS } from "../../api/route.ts";
import { displayPrefix } from "../../keys/format.ts";
import { modifiable } from "../../keys/rules.ts";
import type { KeyView } from "../../keys/view.ts";
import { type ListOf, Problem } from "../api.ts";
import {
  Badge,
  ButtonLink,
  type Column,
  DataTable,
  EmptyState,
  NoticeBox,
  PageHead,
  Pagination,
  When,
} from "../components.tsx";
import { Filters, Select } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { mayVisit } from "../navigation.ts";
import { page, type Visit } from "../page.ts";
import { goTo, show } from "../replies.tsx";
import { DISABLE_MANY, PAGE_SIZE } from "./disable-many.tsx";
import { dueHints } from "./hints.ts";
import { IconLink } from "./icons.tsx";
import { KeyStatus } from "./key-status.tsx";
import { keyPath, LIST, type ListView, listPath } from "./paths.ts";
import { ENVIRONMENT_LABELS, PERMISSION_LABELS, STATUS_LABELS } from "./words.ts";

const NEW = `${LIST}/new`;
const BULK = "disable-many";

export const listPage = page(READERS, {
  method: "GET",
  path: LIST,
  async handle(visit) {
    const { api, query, visitor, arrival } = visit;
    const view: ListView = {
      // The list shows prefixes with an ellipsis, and so they are copied.
      q: (query.get("q") ?? "").replace(/…\s*$/, ""),
      status: query.get("status") ?? "",
      environment: query.get("environment") ?? "",
      cursor: query.get("cursor"),
    };
    const prefix = prefixOf(view.q, arrival.isolate.config.KEY_PREFIX);
    if (prefix !== view.q) return goTo(listPath({ ...view, q: prefix }), SEARCHED_BY_PREFIX);
    const keys = await api.get<ListOf<KeyView>>("/v1/account/api-keys", { limit: PAGE_SIZE, ...view });
    const mayCreate = mayVisit(KEY_MAKERS, visitor);
    // An account without a key has nothing to look for.
    const isEmpty =
      !(keys instanceof Problem) &&
      keys.data.length === 0 &&
      keys.next_cursor === null &&
      view.cursor === null &&
      !isNarrowed(view);
    return show(
      "API keys",
      <>
        <PageHead
          title="API keys"
          trail={[{ label: "Settings", path: "/console/settings" }, { label: "API keys" }]}
          lead={LEADS[visitor.role ?? "viewer"]}
        >
          {mayCreate && (
            <ButtonLink href={NEW} kind="primary">
              + Create API key
            </ButtonLink>
          )}
        </PageHead>
        {!isEmpty && <KeyFilters view={view} />}
        {keys instanceof Problem ? (
          <NoticeBox kind="error">{keys.detail}</NoticeBox>
        ) : (
          <Keys visit={visit} keys={keys} view={view} mayChange={mayCreate} />
        )}
      </>,
      keys instanceof Problem ? keys.status : 200,
    );
  },
});

/**
 * A key pasted to find its record, or as much of it as the field takes, goes no further: its prefix does, which
 * is all that is stored.
 * @param words KEY_PREFIX
 */
function prefixOf(q: string, words: readonly string[]): string {
  const [, shown, word] = /^((.+)_(?:live|test)_[0-9A-Za-z]{5})[0-9A-Za-z]+$/.exec(q) ?? [];
  if (shown === undefined || word === undefined) return q;
  return words.includes(word) ? shown : displayPrefix(q);
}

const SEARCHED_BY_PREFIX = {
  kind: "info",
  text: "A key is found by its prefix. The rest of it was not looked at; there is no need to paste it anywhere.",
} as const;

const isNarrowed = ({ q, status, environment }: ListView) => `${q}${status}${environment}` !== "";

const LEADS = {
  owner: "Each key may do what you allow it to, and no more.",
  member: "These are the keys you created. Those of others are theirs, and the owner’s, to see and change.",
  viewer: "You may look at the keys of this account. Creating and changing them is for members and owners.",
};

function KeyFilters({ view: { q, status, environment } }: { view: ListView }) {
  return (
    <Filters action={LIST}>
      <div>
        <label for="q">Search by name or prefix</label>
        {/* What is typed here goes into the address: not enough of a key for it to be of use there. */}
        <input id="q" name="q" type="search" value={q} maxlength={20} />
      </div>
      <div>
        <label for="status">Status</label>
        <Select name="status" value={status} options={[["", "Any"], ...Object.entries(STATUS_LABELS)]} />
      </div>
      <div>
        <label for="environment">Environment</label>
        <Select
          name="environment"
          value={environment}
          options={[["", "Any"], ...Object.entries(ENVIRONMENT_LABELS)]}
        />
      </div>
    </Filters>
  );
}

interface KeysProps {
  visit: Visit;
  keys: ListOf<KeyView>;
  view: ListView;
  mayChange: boolean;
}

function Keys({ visit, keys, view, mayChange }: KeysProps) {
  const { visitor } = visit;
  const { cursor, ...filters } = view;
  const from = listPath(view);
  return (
    <>
      {keys.data.length === 0 ? (
        <Nothing keys={keys} view={view} mayCreate={mayChange} />
      ) : (
        <div data-group>
          <DataTable
            caption="API keys, newest first"
            columns={columns(visit, from, mayChange)}
            rows={keys.data}
          />
          {mayChange && keys.data.some(({ status }) => status === "active") && (
            <Form
              visitor={visitor}
              action={DISABLE_MANY}
              id={BULK}
              class="actions below"
              confirm="Disable the ticked keys? Whatever uses them is refused until they are enabled again."
              yes="Disable keys"
            >
              <input type="hidden" name="from" value={from} />
              <button class="button small" type="submit">
                Disable ticked keys
              </button>
              <button class="button quiet small" type="button" data-set-all="on" hidden>
                Tick all
              </button>
              <button class="button quiet small" type="button" data-set-all="off" hidden>
                Tick none
              </button>
            </Form>
          )}
        </div>
      )}
      <Pagination
        first={cursor === null ? null : listPath(filters)}
        next={keys.next_cursor && listPath({ ...filters, cursor: keys.next_cursor })}
      />
    </>
  );
}

function columns({ visitor, now }: Visit, from: string, mayChange: boolean): Column<KeyView>[] {
  const cells: Column<KeyView>[] = [
    {
      label: "Name",
      heading: true,
      cell: (key) => (
        <div class="key-name">
          {mayChange && key.status === "active" && (
            <input type="checkbox" name="id" value={key.id} form={BULK} aria-label={`Tick ${key.name}`} />
          )}
          <div>
            <a href={keyPath(key.id)}>{key.name}</a>
            <code>{key.prefix}…</code>
            <Hints keyView={key} now={now} />
          </div>
        </div>
      ),
    },
    { label: "Environment", cell: ({ environment }) => ENVIRONMENT_LABELS[environment] },
    {
      label: "Permission",
      cell: ({ permission, template }) => (
        <div>
          {PERMISSION_LABELS[permission]}
          {template !== null && <span class="hint">{template}</span>}
        </div>
      ),
    },
    { label: "Created", cell: ({ created_at }) => <When at={created_at} date /> },
    { label: "Last used", cell: ({ last_used_at }) => <When at={last_used_at} /> },
    { label: "Expires", cell: ({ expires_at }) => <When at={expires_at} date /> },
    { label: "Status", cell: (key) => <KeyStatus visitor={visitor} keyView={key} from={from} /> },
  ];
  if (mayChange) {
    cells.push({
      label: "Actions",
      cell: ({ id, name, status }) =>
        status === "revoked" ? null : (
          <div class="actions icons">
            {modifiable(status) && <IconLink icon="edit" href={keyPath(id, "edit")} label={`Edit ${name}`} />}
            <IconLink icon="revoke" href={keyPath(id, "revoke")} label={`Revoke ${name}`} />
          </div>
        ),
    });
  }
  return cells;
}

/** What a key is due for. */
export function Hints({ keyView, now }: { keyView: KeyView; now: number }) {
  const hints = dueHints(keyView, now);
  if (hints.length === 0) return null;
  return (
    <span class="hints">
      {hints.map(({ text, kind }) => (
        <Badge tone={kind === "unused" ? "plain" : "warn"}>{text}</Badge>
      ))}
    </span>
  );
}

function Nothing({ keys, view, mayCreate }: { keys: ListOf<KeyView>; view: ListView; mayCreate: boolean }) {
  if (keys.next_cursor !== null) {
    return (
      <EmptyState title="None among these">
        A good many keys were looked through, and none matches. There are more on the next page.
      </EmptyState>
    );
  }
  if (isNarrowed(view)) {
    return (
      <EmptyState title="No key matches" action={<ButtonLink href={LIST}>Show all keys</ButtonLink>}>
        Try another name, or any status and environment.
      </EmptyState>
    );
  }
  if (view.cursor !== null) return <EmptyState title="There are no more keys" />;
  return mayCreate ? (
    <EmptyState
      title="Create your first API key"
      action={
        <ButtonLink href={NEW} kind="primary">
          + Create API key
        </ButtonLink>
      }
    >
      A key lets a program call your endpoints. You choose what each may do, and can switch it off at any
      time.
    </EmptyState>
  ) : (
    <EmptyState title="No API keys yet">An owner or a member of this account can create one.</EmptyState>
  );
}
