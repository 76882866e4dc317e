import { KEY_MAKERS, READERS } from "../../api/route.ts";
import { modifiable } from "../../keys/rules.ts";
import type { KeyView } from "../../keys/view.ts";
import { Problem } from "../api.ts";
import { ButtonLink, Card, Facts, PageHead, When } from "../components.tsx";
import { mayVisit } from "../navigation.ts";
import { page } from "../page.ts";
import { show } from "../replies.tsx";
import type { Visitor } from "../visitor.ts";
import { readChoices } from "./choices.ts";
import { LegacyNote } from "./edit.tsx";
import { KeyStatus } from "./key-status.tsx";
import { Hints } from "./list.tsx";
import { keyPath, LIST } from "./paths.ts";
import { PermissionFacts } from "./permission-facts.tsx";
import { readKeyView } from "./read-key.ts";
import { ENVIRONMENT_LABELS, PERMISSION_LABELS, permissionsOf } from "./words.ts";

export const keyPage = page(READERS, {
  method: "GET",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const { api, visitor, now } = visit;
    const [key, choices] = await Promise.all([readKeyView(visit), readChoices(api)]);
    if (key instanceof Problem) return key;
    const mayChange = mayVisit(KEY_MAKERS, visitor);
    return show(
      key.name,
      <>
        <KeyHead visitor={visitor} keyView={key} current="details" />
        <Hints keyView={key} now={now} />
        <Card title="Key">
          <Facts
            facts={[
              ["Prefix", <code>{key.prefix}…</code>],
              ["Status", <KeyStatus visitor={visitor} keyView={key} from={keyPath(key.id)} />],
              ["Environment", ENVIRONMENT_LABELS[key.environment]],
              ["Created", <When at={key.created_at} />],
              ["Created by", key.created_by],
              ["Last used", <Exact at={key.last_used_at} />],
              ["Expires", <When at={key.expires_at} />],
              ...(key.revoked_at === null ? [] : [["Revoked", <When at={key.revoked_at} />] as const]),
              ...(key.rotated_from === null
                ? []
                : [["Replaces", <a href={keyPath(key.rotated_from)}>an older key</a>] as const]),
              ["Id", <code>{key.id}</code>],
            ]}
          />
        </Card>
        <Card title="What it may do">
          <PermissionFacts
            permissions={permissionsOf(key.scopes)}
            choices={choices instanceof Problem ? null : choices}
            more={[
              ["Permission", PERMISSION_LABELS[key.permission]],
              ...(key.template === null ? [] : [["Template", key.template] as const]),
            ]}
          />
          <details>
            <summary>Scopes as the API has them</summary>
            <pre class="scopes" tabindex={0}>
              {JSON.stringify(key.scopes, null, 2)}
            </pre>
          </details>
        </Card>
        {key.legacy && mayChange && modifiable(key.status) && <LegacyNote id={key.id} />}
      </>,
    );
  },
});

/** A moment to the second: lists round it. */
function Exact({ at }: { at: string | null }) {
  if (at === null) return <span class="quiet">Never</span>;
  return <time datetime={at}>{SECONDS.format(new Date(at))} UTC</time>;
}

const SECONDS = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
  timeZone: "UTC",
});

/** The top of a key's pages: what it is called, what can be done with it, and its other page. */
export function KeyHead({
  visitor,
  keyView: { id, name, status },
  current,
}: {
  visitor: Visitor;
  keyView: KeyView;
  current: "details" | "usage";
}) {
  const mayChange = mayVisit(KEY_MAKERS, visitor);
  const tab = (name: typeof current, label: string, href: string) => (
    <a href={href} aria-current={name === current ? "page" : undefined}>
      {label}
    </a>
  );
  return (
    <>
      <PageHead
        title={name}
        trail={[
          { label: "Settings", path: "/console/settings" },
          { label: "API keys", path: LIST },
          { label: name },
        ]}
      >
        {mayChange && modifiable(status) && (
          <>
            <ButtonLink href={keyPath(id, "edit")}>Edit</ButtonLink>
            <ButtonLink href={keyPath(id, "rotate")}>Rotate</ButtonLink>
          </>
        )}
        {mayChange && status !== "revoked" && (
          <ButtonLink href={keyPath(id, "revoke")} kind="danger">
            Revoke
          </ButtonLink>
        )}
      </PageHead>
      <nav class="tabs" aria-label="Key">
        {tab("details", "Details", keyPath(id))}
        {tab("usage", "Usage", keyPath(id, "usage"))}
      </nav>
    </>
  );
}
