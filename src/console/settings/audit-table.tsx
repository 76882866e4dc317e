import type { auditView } from "../../api/audit-view.ts";
import { NameCell } from "../admin/lists.tsx";
import { type Column, DataTable, When } from "../components.tsx";
import { Filters, Select } from "../form-controls.tsx";
import { Changes } from "./audit-changes.tsx";

/** A change as both audit logs answer it. */
export type AuditView = ReturnType<typeof auditView>;

const ACTIONS: Record<string, string> = {
  "api_key.create": "API key created",
  "api_key.update": "API key changed",
  "api_key.revoke": "API key revoked",
  "api_key.rotate": "API key rotated",
  "api_key.import": "API key imported",
  "api_keys.import": "Keys imported, in one step",
  "account.create": "Account added",
  "account.update": "Account changed",
  "account.delete": "Account deleted",
  "endpoint.create": "Endpoint added",
  "endpoint.update": "Endpoint changed",
  "endpoint.delete": "Endpoint deleted",
  "namespace.create": "Namespace added",
  "namespace.update": "Namespace changed",
  "namespace.delete": "Namespace deleted",
  "member.create": "Member added",
  "member.update": "Member changed",
  "member.delete": "Member removed",
  "permission_template.create": "Template created",
  "permission_template.delete": "Template deleted",
  "secret_scanning.report": "Leak reported",
  "session.end": "Signed out of the console",
};

const KINDS = [
  ["", "Anything"],
  ["api_key", "API keys"],
  ["api_key.revoke", "API keys revoked"],
  ["permission_template.", "Permission templates"],
  ["endpoint.", "Endpoints"],
  ["namespace.", "Namespaces"],
] as const;

const ADMIN_KINDS = [
  ["account.", "Accounts"],
  ["member.", "Members"],
  ["secret_scanning.", "Leaks reported"],
] as const;

/** What the log is narrowed to, as the page's URL has it: days as `2026-11-21`. */
export type AuditFilters = Record<"actor" | "action" | "subject" | "account_id" | "from" | "to", string>;

const DAY_MS = 24 * 3_600_000;

/** The filters as the API takes them: whole days in UTC, the last one included. */
export function auditQuery({ from, to, ...filters }: AuditFilters): Record<string, string> {
  const moment = (day: string, later: number) => {
    const at = Date.parse(`${day}T00:00:00Z`);
    return Number.isNaN(at) ? day : new Date(at + later).toISOString();
  };
  return { ...filters, from: from && moment(from, 0), to: to && moment(to, DAY_MS) };
}

/** The form above a log. @param everywhere whether it is the log of all accounts */
export function AuditFilterForm({
  action,
  filters,
  everywhere,
}: {
  action: string;
  filters: AuditFilters;
  everywhere: boolean;
}) {
  return (
    <Filters action={action}>
      <div>
        <label for="actor">Who</label>
        <input id="actor" name="actor" value={filters.actor} placeholder="Part of an address" />
      </div>
      <div>
        <label for="action">What</label>
        <Select
          name="action"
          value={filters.action}
          options={everywhere ? [...KINDS, ...ADMIN_KINDS] : KINDS}
        />
      </div>
      <div>
        <label for="subject">Id of what changed</label>
        <input id="subject" name="subject" value={filters.subject} />
      </div>
      {everywhere && (
        <div>
          <label for="account_id">Account</label>
          <input id="account_id" name="account_id" value={filters.account_id} list="accounts" />
        </div>
      )}
      <div>
        <label for="from">From (UTC)</label>
        <input id="from" name="from" type="date" value={filters.from} />
      </div>
      <div>
        <label for="to">To, included</label>
        <input id="to" name="to" type="date" value={filters.to} />
      </div>
    </Filters>
  );
}

/** A page of a log. */
export function AuditTable({ rows, everywhere }: { rows: readonly AuditView[]; everywhere: boolean }) {
  const columns: Column<AuditView>[] = [
    {
      label: "When and who",
      cell: ({ at, actor, address }) => (
        <div>
          <When at={at} />
          <br />
          {actor}
          {address !== null && <span class="quiet"> {address}</span>}
        </div>
      ),
    },
    {
      label: "What",
      heading: true,
      cell: ({ action, subject }) => <NameCell name={ACTIONS[action] ?? action} id={subject} />,
    },
    ...(everywhere
      ? [
          {
            label: "Account",
            cell: ({ account_id }: AuditView) =>
              account_id === null ? <span class="quiet">None</span> : <code>{account_id}</code>,
          },
        ]
      : []),
    {
      label: "Before and after",
      cell: ({ before, after, subject }) => <Changes before={before} after={after} label={`to ${subject}`} />,
    },
  ];
  return (
    <div class="audit">
      <DataTable caption="Changes, newest first" columns={columns} rows={rows} />
    </div>
  );
}
