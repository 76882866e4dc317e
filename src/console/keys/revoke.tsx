import { KEY_MAKERS } from "../../api/route.ts";
import type { KeyView } from "../../keys/view.ts";
import { Problem } from "../api.ts";
import { Card, Facts, PageHead, When } from "../components.tsx";
import { Field, FormButtons } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { page, type Shown, type Visit } from "../page.ts";
import { done, goTo, show } from "../replies.tsx";
import { ErrorSummary, type FieldErrors } from "./field-errors.tsx";
import { keyPath, LIST } from "./paths.ts";
import { keyApiPath, readKeyView } from "./read-key.ts";

const PATH = `${LIST}/{id}/revoke`;

export const revokeKeyPage = page(KEY_MAKERS, {
  method: "GET",
  path: PATH,
  async handle(visit) {
    const key = await readKeyView(visit);
    if (key instanceof Problem) return key;
    if (key.status === "revoked") return goTo(keyPath(key.id));
    return question(visit, key);
  },
});

/** Revokes a key, once its name was typed: it is the one thing here that cannot be undone. */
export const confirmRevokePage = page(KEY_MAKERS, {
  method: "POST",
  path: PATH,
  async handle(visit) {
    const { api, form } = visit;
    const key = await readKeyView(visit);
    if (key instanceof Problem) return key;
    if (!sameName(form.text("name"), key.name)) {
      return question(visit, key, new Map([["name", "That is not the name of this key"]]), 400);
    }
    const revoked = await api.call<KeyView>("POST", `${keyApiPath(key.id)}/revoke`);
    return revoked instanceof Problem
      ? revoked
      : done(LIST, `${revoked.name} is revoked. It has stopped working, for good.`);
  },
});

/** A browser's form drops white space at the ends and folds what it shows as one space. */
function sameName(typed: string, name: string): boolean {
  const folded = (text: string) => text.normalize("NFC").replace(/\s+/g, " ").trim();
  return folded(typed) === folded(name);
}

function question({ visitor }: Visit, key: KeyView, errors: FieldErrors = new Map(), status = 200): Shown {
  return show(
    errors.size > 0 ? "Error: Revoke API key" : "Revoke API key",
    <>
      <PageHead
        title={`Revoke ${key.name}?`}
        trail={[
          { label: "API keys", path: LIST },
          { label: key.name, path: keyPath(key.id) },
          { label: "Revoke" },
        ]}
        lead="Whatever uses this key stops working at once. This cannot be undone: to stop it for a while, disable it instead."
      />
      <ErrorSummary errors={errors} />
      <Card>
        <Facts
          facts={[
            ["Key", <code>{key.prefix}…</code>],
            ["Created", <When at={key.created_at} />],
            ["Last used", <When at={key.last_used_at} />],
          ]}
        />
        <Form visitor={visitor} action={keyPath(key.id, "revoke")} class="below">
          <Field
            name="name"
            label={
              <>
                Type <strong class="name">{key.name}</strong> to confirm
              </>
            }
            error={errors.get("name")}
          >
            <input
              id="name"
              name="name"
              autocomplete="off"
              aria-invalid={errors.has("name") ? "true" : undefined}
              aria-describedby={errors.has("name") ? "name-error" : undefined}
            />
          </Field>
          <FormButtons label="Revoke key" kind="danger solid" cancel={keyPath(key.id)} />
        </Form>
      </Card>
    </>,
    status,
  );
}
