import { KEY_MAKERS } from "../../api/route.ts";
import { modifiable, NOT_MODIFIABLE } from "../../keys/rules.ts";
import type { KeyView } from "../../keys/view.ts";
import { Problem } from "../api.ts";
import { ButtonLink, NoticeBox, PageHead } from "../components.tsx";
import { page, type Reply, type Visit } from "../page.ts";
import { done, show } from "../replies.tsx";
import { type Choices, readChoices } from "./choices.ts";
import { wantedExpiry } from "./expiry.ts";
import { errorsOf, type FieldErrors } from "./field-errors.tsx";
import { checkKeyForm, KeyForm, type KeyValues, readKeyForm } from "./key-form.tsx";
import { keyPath, LIST } from "./paths.ts";
import { permissionOf, wantedGrant } from "./permission-values.ts";
import { keyApiPath, readKeyView } from "./read-key.ts";
import { permissionsOf } from "./words.ts";

export const editKeyPage = page(KEY_MAKERS, {
  method: "GET",
  path: `${LIST}/{id}/edit`,
  async handle(visit) {
    const key = await readKeyView(visit);
    return key instanceof Problem ? key : formPage(visit, key);
  },
});

export const updateKeyPage = page(KEY_MAKERS, {
  method: "POST",
  path: `${LIST}/{id}/edit`,
  async handle(visit) {
    const { api, form, now } = visit;
    const [key, choices] = await Promise.all([readKeyView(visit), readChoices(api)]);
    if (key instanceof Problem) return key;
    if (choices instanceof Problem) return choices;
    const values = readKeyForm(form);
    const errors = checkKeyForm(values, now, !key.legacy);
    if (errors.size > 0) return formPage(visit, key, values, errors, 400);
    const body = {
      name: values.name,
      expires_at: wantedExpiry(values, now),
      ...(key.legacy ? {} : changedGrant(values, key, choices)),
    };
    const updated = await api.call<KeyView>("PATCH", keyApiPath(key.id), { body });
    return updated instanceof Problem
      ? formPage(visit, key, values, errorsOf(updated), updated.status)
      : done(keyPath(key.id), `${updated.name} is updated. The change is in force.`);
  },
});

/** The grant to ask for; none where the form still says what the key has, however the key spells it. */
function changedGrant({ permission }: KeyValues, key: KeyView, choices: Choices) {
  const wanted = wantedGrant(permission);
  const held = wantedGrant(valuesOf(key, choices).permission);
  return meaning(wanted) === meaning(held) ? {} : wanted;
}

/** Two grants mean the same if and only if their canonical permissions are equal, or their templates are. */
function meaning(grant: ReturnType<typeof wantedGrant>): string {
  return JSON.stringify("scopes" in grant ? permissionsOf(grant.scopes) : grant);
}

function valuesOf(key: KeyView, { templates, groups }: Choices): KeyValues {
  const catalogue = new Set(groups.flatMap(({ scopes }) => scopes.map(({ scope }) => scope)));
  return {
    name: key.name,
    environment: key.environment,
    permission: permissionOf(key, templates, catalogue),
    expiry: key.expires_at === null ? "never" : "keep",
    on: key.expires_at?.slice(0, 10) ?? "",
  };
}

async function formPage(
  { api, visitor, now, arrival }: Visit,
  key: KeyView,
  given?: KeyValues,
  errors: FieldErrors = new Map(),
  status = 200,
): Promise<Reply> {
  const head = (
    <PageHead
      title="Edit API key"
      trail={[
        { label: "API keys", path: LIST },
        { label: key.name, path: keyPath(key.id) },
        { label: "Edit" },
      ]}
      lead={
        <>
          {key.name} <code>{key.prefix}…</code>
        </>
      }
    />
  );
  if (!modifiable(key.status)) {
    return show(
      "Edit API key",
      <>
        {head}
        <NoticeBox kind="info" title={`This key is ${key.status}`}>
          {NOT_MODIFIABLE}. Create a new key instead.
        </NoticeBox>
        <ButtonLink href={LIST}>All API keys</ButtonLink>
      </>,
      given === undefined ? 200 : 409,
    );
  }
  const choices = await readChoices(api);
  if (choices instanceof Problem) return choices;
  return show(
    errors.size > 0 ? "Error: Edit API key" : "Edit API key",
    <>
      {head}
      {key.legacy && <LegacyNote id={key.id} />}
      <KeyForm
        visitor={visitor}
        action={keyPath(key.id, "edit")}
        values={given ?? valuesOf(key, choices)}
        choices={choices}
        errors={errors}
        now={now}
        prefix={arrival.isolate.config.KEY_PREFIX[0]!}
        edited={key}
        back={keyPath(key.id)}
      />
    </>,
    status,
  );
}

/** Why a legacy key's form has no permissions. */
export function LegacyNote({ id }: { id: string }) {
  return (
    <NoticeBox kind="info" title="The scopes of a legacy key cannot be edited">
      It was made before there were scopes, and goes on working as it did: the GraphQL access it was given,
      and every inference endpoint. To choose what it may do, <a href={keyPath(id, "rotate")}>rotate it</a>:
      the new key may do the same, and can be edited.
    </NoticeBox>
  );
}
