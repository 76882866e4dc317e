import { OWNERS, READERS } from "../../api/route.ts";
import { Refusal, TextField } from "../admin/parts.tsx";
import { Problem } from "../api.ts";
import { Badge, ButtonLink, Card, PageHead, When } from "../components.tsx";
import { readChoices, type TemplateChoice } from "../keys/choices.ts";
import { ErrorSummary, errorsOf, type FieldErrors } from "../keys/field-errors.tsx";
import { PermissionFacts } from "../keys/permission-facts.tsx";
import { PermissionFields } from "../keys/permission-fields.tsx";
import { initialPermission, readPermission, wantedGrant } from "../keys/permission-values.ts";
import { permissionsOf } from "../keys/words.ts";
import { Form } from "../layout.tsx";
import { mayVisit } from "../navigation.ts";
import { page, type Visit } from "../page.ts";
import { confirmation, done, isConfirmed, show } from "../replies.tsx";

const LIST = "/console/settings/templates";
const RECORDS = "/v1/account/permission-templates";
const SETTINGS = { label: "Settings", path: "/console/settings" };

type TemplateView = TemplateChoice & { created_at: string | null; created_by: string | null };

export const templatesPage = page(READERS, {
  method: "GET",
  path: LIST,
  async handle({ api, visitor }) {
    const [list, choices] = await Promise.all([api.get<{ data: TemplateView[] }>(RECORDS), readChoices(api)]);
    if (list instanceof Problem) return list;
    const mayChange = mayVisit(OWNERS, visitor);
    const own = list.data.filter(({ built_in }) => !built_in);
    const card = (template: TemplateView) => {
      const { name, description, scopes, built_in, created_at, created_by } = template;
      return (
        <section class="card template">
          <div class="head-row">
            <h3>
              <code>{name}</code>
            </h3>
            {built_in && <Badge>built in</Badge>}
          </div>
          {description !== "" && <p>{description}</p>}
          <PermissionFacts
            permissions={permissionsOf(scopes)}
            choices={choices instanceof Problem ? null : choices}
          />
          {!built_in && (
            <p class="hint">
              Created <When at={created_at} date /> by {created_by}
            </p>
          )}
          {!built_in && mayChange && (
            <Form
              visitor={visitor}
              action={`${LIST}/${encodeURIComponent(name)}/delete`}
              confirm={`Delete the template ${name}? Keys made from it stay as they are.`}
              yes="Delete template"
            >
              <div class="buttons">
                <button class="button danger small" type="submit" aria-label={`Delete ${name}`}>
                  Delete
                </button>
              </div>
            </Form>
          )}
        </section>
      );
    };
    return show(
      "Permission templates",
      <>
        <PageHead
          title="Permission templates"
          trail={[SETTINGS, { label: "Permission templates" }]}
          lead="Permissions under a name, to make keys from. A key keeps what it was given: it does not change with its template."
        >
          {mayChange && (
            <ButtonLink href={`${LIST}/new`} kind="primary">
              New template
            </ButtonLink>
          )}
        </PageHead>
        <h2 class="part-title">This account's own</h2>
        {own.length === 0 ? (
          <p class="quiet part-text">
            None yet.{" "}
            {mayChange
              ? "Make one for permissions you give out often."
              : "An owner of the account can make some."}
          </p>
        ) : (
          <div class="columns">{own.map(card)}</div>
        )}
        <h2 class="part-title">Built in</h2>
        <div class="columns">{list.data.filter(({ built_in }) => built_in).map(card)}</div>
      </>,
    );
  },
});

async function templateForm(
  { api, form, visitor }: Visit,
  { errors = new Map(), problem = null }: { errors?: FieldErrors; problem?: Problem | null } = {},
) {
  const choices = await readChoices(api);
  if (choices instanceof Problem) return choices;
  const posted = form.has("permission") || form.has("name");
  const message = (field: string) => {
    const text = errors.get(field);
    return text === undefined ? null : { field, message: text };
  };
  return show(
    errors.size > 0 ? "Error: New template" : "New template",
    <>
      <PageHead
        title="New template"
        trail={[SETTINGS, { label: "Permission templates", path: LIST }, { label: "New" }]}
      />
      <Form visitor={visitor} action={`${LIST}/new`}>
        {problem !== null && errors.has("") ? (
          <Refusal problem={problem} />
        ) : (
          <ErrorSummary errors={errors} />
        )}
        <Card>
          <TextField
            name="name"
            label="Name"
            value={form.text("name")}
            error={message("name")}
            required
            mono
            maxlength={63}
            hint="One word, such as chat_reader. Letters, digits, - and _."
          />
          <TextField
            name="description"
            label="Description"
            value={form.text("description")}
            error={message("description")}
            maxlength={200}
            hint="When to use it."
          />
        </Card>
        <Card title="Permissions">
          <PermissionFields
            values={posted ? readPermission(form) : initialPermission()}
            choices={choices}
            errors={errors}
          />
        </Card>
        <div class="buttons">
          <button class="button primary" type="submit">
            Create template
          </button>
          <ButtonLink href={LIST}>Cancel</ButtonLink>
        </div>
      </Form>
    </>,
    errors.size > 0 ? (problem?.status ?? 400) : 200,
  );
}

export const newTemplatePage = page(OWNERS, {
  method: "GET",
  path: `${LIST}/new`,
  handle: (visit) => templateForm(visit),
});

export const createTemplatePage = page(OWNERS, {
  method: "POST",
  path: `${LIST}/new`,
  async handle(visit) {
    const { api, form } = visit;
    const wanted = wantedGrant(readPermission(form));
    if ("field" in wanted) return templateForm(visit, { errors: new Map([[wanted.field, wanted.text]]) });
    const scopes = "scopes" in wanted ? wanted.scopes : await scopesOf(visit, wanted.template);
    if (scopes instanceof Problem) return scopes;
    const made = await api.call<TemplateView>("POST", RECORDS, {
      body: { name: form.text("name"), description: form.text("description"), scopes },
    });
    if (!(made instanceof Problem))
      return done(LIST, `The template ${made.name} is there to make keys from.`);
    const errors = made.code === "conflict" ? new Map([["name", made.detail]]) : errorsOf(made);
    return templateForm(visit, { errors, problem: made });
  },
});

/** A template made from another is a copy of what that allows. */
async function scopesOf({ api }: Visit, name: string) {
  const list = await api.get<{ data: TemplateView[] }>(RECORDS);
  if (list instanceof Problem) return list;
  const found = list.data.find((template) => template.name === name);
  return found === undefined ? new Problem(404, "not_found", `There is no template ${name}`) : found.scopes;
}

export const deleteTemplatePage = page(OWNERS, {
  method: "POST",
  path: `${LIST}/{name}/delete`,
  async handle(visit) {
    const name = visit.params.name!;
    if (!isConfirmed(visit)) {
      return confirmation(visit, {
        title: "Delete template",
        question: `Delete the template ${name}? Keys made from it stay as they are.`,
        yes: "Delete template",
        danger: true,
        back: LIST,
      });
    }
    const deleted = await visit.api.call("DELETE", `${RECORDS}/${encodeURIComponent(name)}`);
    return deleted instanceof Problem ? deleted : done(LIST, `The template ${name} is deleted.`);
  },
});
