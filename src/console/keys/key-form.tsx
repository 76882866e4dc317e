import { checkName, EXPIRY_FORMAT, parseExpiry } from "../../keys/rules.ts";
import { parseScopes } from "../../keys/scopes.ts";
import type { KeyView } from "../../keys/view.ts";
import { Card, NoticeBox, When } from "../components.tsx";
import { Choice, describedBy, Field, FormButtons } from "../form-controls.tsx";
import type { Fields } from "../forms.ts";
import { Form } from "../layout.tsx";
import type { Visitor } from "../visitor.ts";
import type { Choices } from "./choices.ts";
import { EXPIRY_PRESETS, type ExpiryValues, presetEnd, readExpiry, wantedExpiry } from "./expiry.ts";
import { ErrorSummary, ErrorText, type FieldErrors, fieldOf } from "./field-errors.tsx";
import { PermissionFields, Segments } from "./permission-fields.tsx";
import { type PermissionValues, readPermission, wantedGrant } from "./permission-values.ts";
import { forPeople } from "./words.ts";

/** The form of a key, as its fields hold it. */
export interface KeyValues extends ExpiryValues {
  name: string;
  environment: string;
  permission: PermissionValues;
}

export function readKeyForm(form: Fields): KeyValues {
  return {
    name: form.text("name"),
    environment: form.text("environment"),
    permission: readPermission(form),
    ...readExpiry(form),
  };
}

/**
 * All that is wrong with a form, where the API would name one thing at a time: by the rules of keys
 * themselves. What needs the database, such as whose an endpoint is, the API says.
 * @param withPermission false for a legacy key, whose permissions are no part of its form
 */
export function checkKeyForm(values: KeyValues, now: number, withPermission = true): FieldErrors {
  const errors = new Map<string, string>();
  const refuse = (detail: string, field = fieldOf(detail)) => errors.set(field, forPeople(detail));
  const name = checkName(values.name);
  if (!name.ok) refuse(name.message);
  if (withPermission) {
    const wanted = wantedGrant(values.permission);
    if ("field" in wanted) refuse(wanted.text, wanted.field);
    else if ("scopes" in wanted) {
      const parsed = parseScopes(wanted.scopes);
      if (!parsed.ok) refuse(parsed.message);
    }
  }
  const wanted = wantedExpiry(values, now);
  const expiry = parseExpiry(wanted ?? null, now);
  if (!expiry.ok) {
    refuse(expiry.message === EXPIRY_FORMAT ? "Choose a day, such as 2030-01-31" : expiry.message, "expiry");
  }
  return errors;
}

/** The form that makes a key, and the one that edits it. */
export function KeyForm({
  visitor,
  action,
  values,
  choices,
  errors,
  now,
  prefix,
  edited,
  nonce,
  back,
}: {
  visitor: Visitor;
  action: string;
  values: KeyValues;
  choices: Choices;
  errors: FieldErrors;
  now: number;
  /** The word that new keys begin with. */
  prefix: string;
  /** The key that is edited. Its environment stays. */
  edited?: KeyView;
  /** See `keyIdOf`. */
  nonce?: string;
  back: string;
}) {
  const hint = "1 to 64 characters. Say what uses it: “Production deploy script”, not “Key 1”.";
  return (
    <Form visitor={visitor} action={action} class="key-form">
      {nonce !== undefined && <input type="hidden" name="nonce" value={nonce} />}
      <ErrorSummary errors={errors} />
      <Card title="Key">
        <Field name="name" label="Name" hint={hint} error={errors.get("name")}>
          <input
            id="name"
            name="name"
            value={values.name}
            autocomplete="off"
            aria-invalid={errors.has("name") ? "true" : undefined}
            aria-describedby={describedBy("name", { hint, error: errors.get("name") })}
          />
        </Field>
        {edited === undefined && (
          <div class="wide-choice">
            <Choice
              legend="Environment"
              name="environment"
              value={values.environment}
              options={[
                {
                  value: "production",
                  label: "Production",
                  hint: `Live traffic. The key starts with ${prefix}_live_.`,
                },
                {
                  value: "test",
                  label: "Test",
                  hint: `Goes to the test origins of endpoints that have one. Starts with ${prefix}_test_.`,
                },
              ]}
            />
          </div>
        )}
      </Card>
      {edited?.legacy !== true && (
        <Card title="Permission">
          <PermissionFields values={values.permission} choices={choices} errors={errors} />
        </Card>
      )}
      <Card title="Expiry">
        <Expiry values={values} errors={errors} now={now} edited={edited} />
      </Card>
      {edited?.legacy !== true && (
        // Hidden by the stylesheet as soon as something is allowed, with scripts and without.
        <div class="nothing-allowed">
          <NoticeBox kind="warning" title="This key allows nothing yet">
            Every request with it will be refused. Allow something under Permission, unless that is what you
            want.
          </NoticeBox>
        </div>
      )}
      <FormButtons label={edited === undefined ? "Create" : "Update"} cancel={back} />
    </Form>
  );
}

function Expiry({
  values,
  errors,
  now,
  edited,
}: {
  values: ExpiryValues;
  errors: FieldErrors;
  now: number;
  edited: KeyView | undefined;
}) {
  const presets = EXPIRY_PRESETS.map(([days, label]) => [days, label] as const);
  const keep = edited?.expires_at == null ? [] : ([["keep", "As it is"]] as const);
  return (
    <>
      <Segments
        legend="When does it expire?"
        name="expiry"
        value={values.expiry}
        options={[...keep, ["never", "Never"], ...presets, ["date", "On a day"]]}
      />
      {edited?.expires_at != null && (
        <p class="hint" data-show-when="expiry=keep">
          It expires on <When at={edited.expires_at} />.
        </p>
      )}
      {EXPIRY_PRESETS.map(([days]) => (
        <p class="hint only-scripts" data-show-when={`expiry=${days}`}>
          It will expire on <When at={presetEnd(days, now)} />.
        </p>
      ))}
      <p class="hint only-scripts" data-show-when="expiry=never">
        It works until somebody revokes it. A key that expires by itself is safer.
      </p>
      <div class={errors.has("expiry") ? "field wrong" : "field"} data-show-when="expiry=date">
        <label for="expires_on">Day</label>
        <input
          type="date"
          id="expires_on"
          name="expires_on"
          value={values.on}
          aria-invalid={errors.has("expiry") ? "true" : undefined}
          aria-describedby={errors.has("expiry") ? "expires-hint expiry-error" : "expires-hint"}
        />
        <p class="hint" id="expires-hint">
          The key works until the end of that day, UTC.
        </p>
        <ErrorText errors={errors} field="expiry" />
      </div>
    </>
  );
}
