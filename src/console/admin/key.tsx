import { Problem } from "../api.ts";
import { Card, PageHead } from "../components.tsx";
import { PermissionFacts } from "../keys/permission-facts.tsx";
import { NO_SWITCH, switchedTo } from "../keys/toggle.ts";
import { permissionsOf } from "../keys/words.ts";
import { page, type Visit } from "../page.ts";
import { confirmation, done, isConfirmed, show } from "../replies.tsx";
import { localPath } from "../return-to.ts";
import { KeyCard, ownerOf } from "./key-card.tsx";
import { KEYS, keyPath, keyRecord, trail } from "./paths.ts";
import type { AdminKeyView } from "./records.ts";

const showPage = page("admin", {
  method: "GET",
  path: `${KEYS}/{id}`,
  async handle(visit) {
    const entry = await visit.api.get<AdminKeyView>(keyRecord(visit.params.id!));
    if (entry instanceof Problem) return entry;
    return show(
      entry.name,
      <>
        <PageHead title={entry.name} trail={trail({ label: "All keys", path: KEYS }, { label: entry.id })} />
        <KeyCard
          visitor={visit.visitor}
          entry={entry}
          account={await ownerOf(visit, entry)}
          back={keyPath(entry.id)}
        />
        <Card title="What it may do">
          <PermissionFacts permissions={permissionsOf(entry.scopes)} choices={null} />
        </Card>
      </>,
    );
  },
});

/** Where a form came from, if that is one of these pages. */
function backFrom({ form, params }: Visit): string {
  const back = localPath(form.text("back"));
  return back === KEYS || back.startsWith(`${KEYS}?`) ? back : keyPath(params.id!);
}

const togglePage = page("admin", {
  method: "POST",
  path: `${KEYS}/{id}/toggle`,
  async handle(visit) {
    const enabled = switchedTo(visit.form);
    if (enabled === null) return NO_SWITCH;
    const entry = await visit.api.call<AdminKeyView>("PATCH", keyRecord(visit.params.id!), {
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
  path: `${KEYS}/{id}/revoke`,
  async handle(visit) {
    const { api, params } = visit;
    if (!isConfirmed(visit)) {
      const entry = await api.get<AdminKeyView>(keyRecord(params.id!));
      if (entry instanceof Problem) return entry;
      return confirmation(visit, {
        title: "Revoke key",
        question: `Revoke ${entry.name} of the account ${entry.account_id}? It stops working for ever.`,
        yes: "Revoke key",
        danger: true,
        back: backFrom(visit),
      });
    }
    const revoked = await api.call<AdminKeyView>("POST", `${keyRecord(params.id!)}/revoke`);
    return revoked instanceof Problem
      ? revoked
      : done(backFrom(visit), `${revoked.name} is revoked. It stopped working.`);
  },
});

export const keyPages = [showPage, togglePage, revokePage];
