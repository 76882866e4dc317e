import { OWNERS, READERS } from "../../api/route.ts";
import type { Scopes } from "../../keys/scopes.ts";
import { Problem } from "../api.ts";
import { Badge, ButtonLink, Card, type Column, DataTable, PageHead } from "../components.tsx";
import { describedBy, Field, FormButtons } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { mayVisit } from "../navigation.ts";
import { page, type Reply, type Visit } from "../page.ts";
import { confirmation, done, isConfirmed, show } from "../replies.tsx";
import { readChoices, type TemplateChoice } from "./choices.ts";
import { ErrorSummary, errorsOf, type FieldErrors } from "./field-errors.tsx";
import { PermissionSummary } from "./permission-facts.tsx";
import { PermissionFields } from "./permission-fields.tsx";
import {
  initialPermission,
  type PermissionValues,
  readPermission,
  wantedGrant,
} from "./permission-values.ts";
import { permissionsOf } from "./words.ts";

const PATH = "/console/settings/templates";
const NEW = `${PATH}/new`;
const API = "/v1/account/permission-templates";
const TRAIL = { label: "Settings", path: "/console/settings" };

const templatesPage = page(READERS, {
  method: "GET",
  path: PATH,
  async handle({ api, visitor }) {
    const choices = await readChoices(api);
    if (choices instanceof Problem) return choices;
    const mayChange = mayVisit(OWNERS, visitor);
    const columns: Column<TemplateChoice>[] = [
      {
        label: "Name",
        heading: true,
        cell: ({ name, built_in }) => (
          <div>
            <code>{name}</code> {built_in && <Badge>Built in</Badge>}
          </div>
        ),
      },
      { label: "What for", cell: ({ description }) => description || <span class="quiet">—</span> },
      {
        label: "Allows",
        cell: ({ scopes }) => <PermissionSummary permissions={permissionsOf(scopes)} choices={choices} />,
      },
    ];
    if (mayChange) {
      columns.push({
        label: "Actions",
        cell: ({ name, built_in }) =>
          built_in ? null : (
            <Form
              visitor={visitor}
              action={`${PATH}/${encodeURIComponent(name)}/delete`}
              confirm={`Delete the template ${name}? Keys made from it stay as they are.`}
              yes="Delete template"
            >
              <button class="button danger small" type="submit" aria-label={`Delete ${name}`}>
                Delete
              </button>
            </Form>
          ),
      });
    }
    return show(
      "Permission templates",
      <>
        <PageHead
          title="Permission templates"
          trail={[TRAIL, { label: "Permission templates" }]}
          lead="Permissions under a name, to create keys from. A key does not change when its template does."
        >
          {mayChange && (
            <ButtonLink href={NEW} kind="primary">
              + Create template
            </ButtonLink>
          )}
        </PageHead>
        <DataTable caption="Permission templates" columns={columns} rows={choices.templates} />
      </>,
    );
  },
});

interface TemplateValues {
  name: string;
  description: string;
  permission: PermissionValues;
}

const newTemplatePage = page(OWNERS, {
  method: "GET",
  path: NEW,
  handle: (visit) => formPage(visit, { name: "", description: "", permission: initialPermission() }),
});

const createTemplatePage = page(OWNERS, {
  method: "POST",
  path: NEW,
  async handle(visit) {
    const { api, form } = visit;
    const values = {
      name: form.text("name"),
      description: form.text("description"),
      permission: readPermission(form),
    };
    const grant = wantedGrant(values.permission);
    if ("field" in grant) return formPage(visit, values, new Map([[grant.field, grant.text]]), 400);
    const scopes = "scopes" in grant ? grant.scopes : await scopesOf(visit, grant.template);
    if (scopes instanceof Problem) return formPage(visit, values, errorsOf(scopes), scopes.status);
    const body = { name: values.name, description: values.description, scopes };
    const made = await api.call<TemplateChoice>("POST", API, { body });
    return made instanceof Problem
      ? formPage(visit, values, errorsOf(made), made.status)
      : done(PATH, `The template ${made.name} is there to create keys from.`);
  },
});

/** A template made from another has its scopes. */
async function scopesOf({ api }: Visit, template: string): Promise<Scopes | Problem> {
  const templates = await api.get<{ data: TemplateChoice[] }>(API);
  if (templates instanceof Problem) return templates;
  const found = templates.data.find(({ name }) => name === template);
  return found?.scopes ?? new Problem(400, "invalid_request", `Unknown template: ${template}`);
}

const deleteTemplatePage = page(OWNERS, {
  method: "POST",
  path: `${PATH}/{name}/delete`,
  async handle(visit) {
    const { api, params } = visit;
    if (!isConfirmed(visit)) {
      return confirmation(visit, {
        title: "Delete template",
        question: `Delete the template ${params.name}? Keys made from it stay as they are.`,
        yes: "Delete template",
        danger: true,
        back: PATH,
      });
    }
    const gone = await api.call("DELETE", `${API}/${encodeURIComponent(params.name!)}`);
    return gone instanceof Problem ? gone : done(PATH, `The template ${params.name} is deleted.`);
  },
});

async function formPage(
  { api, visitor }: Visit,
  { name, description, permission }: TemplateValues,
  errors: FieldErrors = new Map(),
  status = 200,
): Promise<Reply> {
  const choices = await readChoices(api);
  if (choices instanceof Problem) return choices;
  const hint = "Letters, digits, - and _. Keys remember it.";
  const error = errors.get("name");
  return show(
    errors.size > 0 ? "Error: Create template" : "Create template",
    <>
      <PageHead
        title="Create template"
        trail={[TRAIL, { label: "Permission templates", path: PATH }, { label: "New" }]}
      />
      <Form visitor={visitor} action={NEW} class="key-form">
        <ErrorSummary errors={errors} />
        <Card title="Name">
          <Field name="name" label="Name" hint={hint} error={error}>
            <input
              id="name"
              name="name"
              value={name}
              autocomplete="off"
              aria-invalid={error === undefined ? undefined : "true"}
              aria-describedby={describedBy("name", { hint, error })}
            />
          </Field>
          <Field name="description" label="What it is for" error={errors.get("description")}>
            <input
              id="description"
              name="description"
              value={description}
              autocomplete="off"
              aria-describedby={describedBy("description", { error: errors.get("description") })}
            />
          </Field>
        </Card>
        <Card title="Permission">
          <PermissionFields values={permission} choices={choices} errors={errors} />
        </Card>
        <FormButtons label="Create template" cancel={PATH} />
      </Form>
    </>,
    status,
  );
}

export const templatePages = [templatesPage, newTemplatePage, createTemplatePage, deleteTemplatePage];
