import { Problem } from "../api.ts";
import { Badge, ButtonLink, Card, Facts, When } from "../components.tsx";
import { Toggle } from "../form-controls.tsx";
import { PERMISSION_LABELS, STATUS_LABELS, STATUS_TONES } from "../keys/words.ts";
import { Form } from "../layout.tsx";
import type { Visit } from "../page.ts";
import type { Visitor } from "../visitor.ts";
import { ACCOUNTS, keyPath, recordPath } from "./paths.ts";
import type { AccountView, AdminKeyView } from "./records.ts";

/** The part of a key that may be shown; of some imported ones nothing may. */
export const shownPrefix = (prefix: string) => (prefix === "" ? "" : `${prefix}…`);

/** The switch of a key that can still come to life, else what became of it. */
export function State({ visitor, entry, back }: { visitor: Visitor; entry: AdminKeyView; back: string }) {
  const { id, name, enabled, status } = entry;
  if (status === "revoked" || status === "expired") {
    return <Badge tone={STATUS_TONES[status]}>{STATUS_LABELS[status]}</Badge>;
  }
  return (
    <Form visitor={visitor} action={keyPath(id, "toggle")}>
      <input type="hidden" name="back" value={back} />
      <Toggle on={enabled} label={`API key ${name}`} />
    </Form>
  );
}

/** The button that ends a key. `back` is where the page goes on; it never holds a key. */
export function Revoke({ visitor, entry, back }: { visitor: Visitor; entry: AdminKeyView; back: string }) {
  const { id, name, status } = entry;
  if (status === "revoked") return <span class="quiet">Done</span>;
  return (
    <Form
      visitor={visitor}
      action={keyPath(id, "revoke")}
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

/** A key and its owner, as far as an admin sees them. */
export function KeyCard({
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

/** The account a key belongs to, if it can be read. */
export async function ownerOf({ api }: Visit, { account_id }: AdminKeyView): Promise<AccountView | null> {
  const account = await api.get<AccountView>(`/admin/accounts/${encodeURIComponent(account_id)}`);
  return account instanceof Problem ? null : account;
}
