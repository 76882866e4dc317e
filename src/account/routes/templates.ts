import * as z from "zod/mini";
import { attempting, settled } from "../../api/attempt.ts";
import { EXAMPLE_KEY } from "../../api/examples.ts";
import { carryOut } from "../../api/operator.ts";
import { created, noContent, ok } from "../../api/reply.ts";
import { accountRoute, OWNERS, READERS } from "../../api/route.ts";
import { Instant, instant, ScopesShape, SentScopesSchema, TemplateName } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { BUILT_IN_TEMPLATES, builtInTemplate } from "../../keys/templates.ts";
import {
  deleteTemplate,
  insertTemplate,
  listTemplates,
  MOST_TEMPLATES,
  readTemplate,
  type TemplateRow,
} from "../../store/templates.ts";
import { grantOfScopes } from "../grant.ts";

const TAG = "Permission templates";

const TemplateSchema = z
  .strictObject({
    name: z.string(),
    description: z.string(),
    scopes: ScopesShape,
    built_in: z.boolean(),
    created_at: z.nullable(Instant),
    created_by: z.nullable(z.string()),
  })
  .check(z.meta({ id: "PermissionTemplate" }));

const EXAMPLE = {
  name: "chat_reader",
  description: "Reads on chat",
  scopes: ["inference:chat:read"],
  built_in: false,
  created_at: EXAMPLE_KEY.created_at,
  created_by: EXAMPLE_KEY.created_by,
};

const Params = z.strictObject({ name: TemplateName });

const view = ({ name, description, scopes, created_at, created_by }: TemplateRow) => ({
  name,
  description,
  scopes,
  built_in: false,
  created_at: instant(created_at),
  created_by,
});

const list = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/permission-templates",
  summary: "List permission templates",
  description: "The built-in ones, then the account's own.",
  tag: TAG,
  answers: {
    200: {
      description: "All templates",
      schema: z.strictObject({ data: z.array(TemplateSchema) }),
      example: { data: [EXAMPLE] },
    },
  },
  async handle({ env, account }) {
    const builtIn = BUILT_IN_TEMPLATES.map((template) => ({
      ...template,
      built_in: true,
      created_at: null,
      created_by: null,
    }));
    return ok({ data: [...builtIn, ...(await listTemplates(env.DB, account.id)).map(view)] });
  },
});

const Body = z.strictObject({
  name: TemplateName,
  description: z._default(
    z
      .string()
      .check(
        z.maxLength(200),
        z.regex(/^[^\p{Cc}\u202A-\u202E\u2066-\u2069]*$/u, "must not contain control characters"),
      ),
    "",
  ),
  scopes: SentScopesSchema,
});

const create = accountRoute(OWNERS, {
  method: "POST",
  path: "/v1/account/permission-templates",
  summary: "Create a permission template",
  description: "Keys made from a template remember its name, and do not change with it.",
  tag: TAG,
  body: Body,
  bodyExample: { name: "chat_reader", description: "Reads on chat", scopes: ["inference:chat:read"] },
  answers: { 201: { description: "The template", schema: TemplateSchema, example: EXAMPLE } },
  errors: ["conflict"],
  async handle(call) {
    const { env, account, body, now, actor } = call;
    const grant = await grantOfScopes(env.DB, account.id, body.scopes);
    if (isDenial(grant)) return grant;
    if (builtInTemplate(body.name) !== undefined) {
      return { code: "conflict", detail: `${body.name} is a built-in template` };
    }
    const row: TemplateRow = {
      account_id: account.id,
      name: body.name,
      description: body.description,
      scopes: grant.scopes,
      created_at: now,
      created_by: actor,
    };
    const deed = {
      action: "permission_template.create",
      subject: row.name,
      account_id: account.id,
      before: null,
      after: { description: row.description, scopes: row.scopes },
    };
    const stored = await attempting<TemplateRow>(async () =>
      settled<TemplateRow>(await carryOut(call, deed, [insertTemplate(row)]), row, async () => {
        const taken = (await readTemplate(env.DB, account.id, row.name)) !== null;
        return {
          code: "conflict",
          detail: taken
            ? `There is a template ${row.name} already`
            : `An account may have ${MOST_TEMPLATES} templates of its own`,
        };
      }),
    );
    if (isDenial(stored)) return stored;
    return created(view(stored), `/v1/account/permission-templates/${row.name}`);
  },
});

const remove = accountRoute(OWNERS, {
  method: "DELETE",
  path: "/v1/account/permission-templates/{name}",
  summary: "Delete a permission template",
  description: "Keys made from it stay as they are. Built-in templates stay.",
  tag: TAG,
  params: Params,
  answers: { 204: { description: "Deleted" } },
  errors: ["not_found", "conflict"],
  async handle(call) {
    const { env, account, params } = call;
    if (builtInTemplate(params.name) !== undefined) {
      return { code: "conflict", detail: `${params.name} is a built-in template` };
    }
    const done = await attempting<object>(async () => {
      const row = await readTemplate(env.DB, account.id, params.name);
      if (row === null) return { code: "not_found" };
      const deed = {
        action: "permission_template.delete",
        subject: row.name,
        account_id: account.id,
        before: { description: row.description, scopes: row.scopes },
        after: null,
      };
      return settled<object>(await carryOut(call, deed, [deleteTemplate(row)]), {});
    });
    return isDenial(done) ? done : noContent();
  },
});

export const templateRoutes = [list, create, remove];
