import type { KeyView } from "../../keys/view.ts";
import { ButtonLink, Card, CopyBox, NoticeBox, PageHead, When } from "../components.tsx";
import type { Shown } from "../page.ts";
import { show } from "../replies.tsx";
import type { Choices } from "./choices.ts";
import { keyPath, LIST } from "./paths.ts";
import { PermissionFacts } from "./permission-facts.tsx";
import { sampleCalls } from "./sample-calls.ts";
import { ENVIRONMENT_LABELS, permissionsOf } from "./words.ts";

/** A key as the API answers its making: with the secret, this once. */
export type NewKey = KeyView & { key: string };

/**
 * The page that shows a new key, once: the answer to the POST that made it, never a page of its own.
 * @param note what else there is to know, such as how long the old key lives on
 */
export function reveal(
  key: NewKey,
  choices: Choices,
  origin: string,
  { title, note }: { title: string; note?: string | undefined },
): Shown {
  const permissions = permissionsOf(key.scopes);
  const calls = sampleCalls(key, permissions, choices, origin);
  return show(
    title,
    <>
      <PageHead title={title} trail={[{ label: "API keys", path: LIST }, { label: key.name }]} />
      <NoticeBox kind="warning" title="Copy the key now. It is shown this once and never again.">
        Keep it like a password: in a secrets manager or an environment variable, not in version control and
        not in code that runs in a browser. If you lose it, rotate it or create another.
      </NoticeBox>
      <Card title={key.name}>
        <CopyBox id="new-key" label="the key" value={key.key} />
        {note !== undefined && <p>{note}</p>}
      </Card>
      <Card title="Try it">
        {calls.length === 0 ? (
          <p>
            {key.environment === "test"
              ? "No endpoint that this key may call has a test origin."
              : "This key may not call any endpoint yet."}{" "}
            <a href={keyPath(key.id, "edit")}>Choose what it may do.</a>
          </p>
        ) : (
          <div class="stack">
            {calls.map(({ title, command }, index) => (
              <div>
                <h3>{title}</h3>
                <CopyBox id={`call-${index}`} label={`the command: ${title}`} value={command} lines />
              </div>
            ))}
          </div>
        )}
        <p class="hint">
          Clients may send the key as <code>Authorization: Bearer</code> or as <code>x-api-key</code>.
        </p>
      </Card>
      <Card title="What it may do">
        <PermissionFacts
          permissions={permissions}
          choices={choices}
          more={[
            ["Environment", ENVIRONMENT_LABELS[key.environment]],
            ["Expires", <When at={key.expires_at} />],
          ]}
        />
      </Card>
      <p class="actions">
        <ButtonLink href={LIST} kind="primary">
          I have copied it
        </ButtonLink>
        <ButtonLink href={keyPath(key.id)}>Open the key’s page</ButtonLink>
      </p>
    </>,
  );
}
