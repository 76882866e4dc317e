import { KEY_MAKERS } from "../../api/route.ts";
import { Problem } from "../api.ts";
import { ButtonLink, PageHead } from "../components.tsx";
import { page, type Reply, type Visit } from "../page.ts";
import { show } from "../replies.tsx";
import { keyIdOf, keyNonce } from "../visitor.ts";
import { readChoices } from "./choices.ts";
import { wantedExpiry } from "./expiry.ts";
import { errorsOf, type FieldErrors } from "./field-errors.tsx";
import { checkKeyForm, KeyForm, type KeyValues, readKeyForm } from "./key-form.tsx";
import { keyPath, LIST } from "./paths.ts";
import { initialPermission, wantedGrant } from "./permission-values.ts";
import { type NewKey, reveal } from "./reveal.tsx";

const PATH = `${LIST}/new`;

export const newKeyPage = page(KEY_MAKERS, {
  method: "GET",
  path: PATH,
  handle: (visit) =>
    formPage(visit, {
      name: "",
      environment: "production",
      permission: initialPermission(),
      expiry: "never",
      on: "",
    }),
});

export const createKeyPage = page(KEY_MAKERS, {
  method: "POST",
  path: PATH,
  async handle(visit) {
    const { api, form, now, visitor, arrival, origin } = visit;
    const values = readKeyForm(form);
    const errors = checkKeyForm(values, now);
    const grant = wantedGrant(values.permission);
    if (errors.size > 0 || "field" in grant) return formPage(visit, values, errors, 400);
    const nonce = form.text("nonce");
    if (nonce === "")
      return formPage(visit, values, new Map([["", "The form came incomplete. Send it again"]]), 400);

    const choices = await readChoices(api);
    if (choices instanceof Problem) return choices;
    const keyId = keyIdOf(arrival.isolate.config, visitor, nonce);
    const made = await api.call<NewKey>("POST", "/v1/account/api-keys", {
      keyId,
      body: {
        name: values.name,
        ...grant,
        environment: values.environment || "production",
        expires_at: wantedExpiry(values, now) ?? null,
      },
    });
    if (!(made instanceof Problem)) return reveal(made, choices, origin, { title: "API key created" });
    return made.code === "conflict"
      ? madeAlready(made, keyId)
      : formPage(visit, values, errorsOf(made), made.status);
  },
});

async function formPage(
  { api, form, visitor, now, arrival }: Visit,
  values: KeyValues,
  errors: FieldErrors = new Map(),
  status = 200,
): Promise<Reply> {
  const choices = await readChoices(api);
  if (choices instanceof Problem) return choices;
  return show(
    errors.size > 0 ? "Error: Create API key" : "Create API key",
    <>
      <PageHead
        title="Create API key"
        trail={[
          { label: "Settings", path: "/console/settings" },
          { label: "API keys", path: LIST },
          { label: "New" },
        ]}
        lead="Give it the least that does the job. You can change it later."
      />
      <KeyForm
        visitor={visitor}
        action={PATH}
        values={values}
        choices={choices}
        errors={errors}
        now={now}
        prefix={arrival.isolate.config.KEY_PREFIX[0]!}
        nonce={form.text("nonce") || keyNonce()}
        back={LIST}
      />
    </>,
    status,
  );
}

/** The form was sent twice: reloaded, or gone back to. The first time made the key, and showed it. */
function madeAlready({ detail, status }: Problem, id: string): Reply {
  return show(
    "This key exists already",
    <>
      <PageHead title="This key exists already" lead={`${detail}.`} />
      <p>
        Nothing new was made. If you did not copy the key, rotate it: that gives you a new one in its place.
      </p>
      <p class="buttons">
        <ButtonLink href={LIST} kind="primary">
          All API keys
        </ButtonLink>
        <ButtonLink href={keyPath(id, "rotate")}>Rotate this key</ButtonLink>
        <ButtonLink href={PATH}>Create another key</ButtonLink>
      </p>
    </>,
    status,
  );
}
