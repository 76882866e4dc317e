import { READERS } from "../../api/route.ts";
import type { KeyView } from "../../keys/view.ts";
import { type ListOf, Problem, search } from "../api.ts";
import {
  Badge,
  type Column,
  DataTable,
  EmptyState,
  Filters,
  NoticeBox,
  PageHead,
  Pagination,
  Select,
  type Tone,
  When,
} from "../components.tsx";
import { page } from "../page.ts";
import { show } from "../replies.tsx";

const PATH = "/console/settings/api-keys";

const TONES: Record<KeyView["status"], Tone> = {
  active: "good",
  disabled: "plain",
  expired: "warn",
  revoked: "bad",
};

const PERMISSIONS: Record<KeyView["permission"], string> = {
  read_write: "Read/Write",
  read_only: "Read Only",
  restricted: "Restricted",
  legacy: "Legacy",
};

const COLUMNS: readonly Column<KeyView>[] = [
  { label: "Name", heading: true, cell: ({ name }) => name },
  { label: "Key", cell: ({ prefix }) => <code>{prefix}…</code> },
  { label: "Environment", cell: ({ environment }) => (environment === "test" ? "Test" : "Production") },
  { label: "Permission", cell: ({ permission }) => PERMISSIONS[permission] },
  { label: "Created", cell: ({ created_at }) => <When at={created_at} date /> },
  { label: "Last used", cell: ({ last_used_at }) => <When at={last_used_at} /> },
  { label: "Expires", cell: ({ expires_at }) => <When at={expires_at} date /> },
  { label: "Status", cell: ({ status }) => <Badge tone={TONES[status]}>{status}</Badge> },
];

export const listPage = page(READERS, {
  method: "GET",
  path: PATH,
  async handle({ api, query }) {
    const q = query.get("q") ?? "";
    const status = query.get("status") ?? "";
    const cursor = query.get("cursor");
    const keys = await api.get<ListOf<KeyView>>("/v1/account/api-keys", { limit: 25, q, status, cursor });
    const narrowed = q !== "" || status !== "";
    return show(
      "API keys",
      <>
        <PageHead
          title="API keys"
          trail={[{ label: "Settings", path: "/console/settings" }, { label: "API keys" }]}
          lead="Each key may do what you allow it to, and no more."
        />
        <Filters action={PATH}>
          <div>
            <label for="q">Search by name or prefix</label>
            <input id="q" name="q" type="search" value={q} />
          </div>
          <div>
            <label for="status">Status</label>
            <Select
              name="status"
              value={status}
              options={[
                ["", "Any"],
                ["active", "Active"],
                ["disabled", "Disabled"],
                ["expired", "Expired"],
                ["revoked", "Revoked"],
              ]}
            />
          </div>
        </Filters>
        <List keys={keys} narrowed={narrowed} />
        {!(keys instanceof Problem) && (
          <Pagination
            first={cursor === null ? null : PATH + search({ q, status })}
            next={keys.next_cursor && PATH + search({ q, status, cursor: keys.next_cursor })}
          />
        )}
      </>,
      keys instanceof Problem ? keys.status : 200,
    );
  },
});

function List({ keys, narrowed }: { keys: ListOf<KeyView> | Problem; narrowed: boolean }) {
  if (keys instanceof Problem) return <NoticeBox kind="error">{keys.detail}</NoticeBox>;
  if (keys.data.length > 0)
    return <DataTable caption="API keys, newest first" columns={COLUMNS} rows={keys.data} />;
  if (keys.next_cursor !== null)
    return <EmptyState title="None on this page">There may be more on the next.</EmptyState>;
  return narrowed ? (
    <EmptyState title="No key matches">Try another name, or any status.</EmptyState>
  ) : (
    <EmptyState title="No API keys yet">Create one to call the endpoints of this account.</EmptyState>
  );
}
