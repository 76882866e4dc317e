import type { Child } from "../../html/jsx-runtime.ts";
import { Problem } from "../api.ts";
import { ButtonLink, Card, PageHead } from "../components.tsx";
import { FormButtons } from "../form-controls.tsx";
import type { Fields } from "../forms.ts";
import { Form } from "../layout.tsx";
import { type Page, page, type Reply, type Visit } from "../page.ts";
import { confirmation, done, isConfirmed, show } from "../replies.tsx";
import { AccountOptions, accountChoices } from "./account-choices.tsx";
import { type FieldError, fieldError } from "./field-errors.ts";
import { Refusal, sentence } from "./fields.tsx";
import { recordPath, trail } from "./paths.ts";

/** What every record's form has besides its members. */
export interface Values {
  /** What the record goes by; in the form of a new one alone. */
  id: string;
  /** When the record was changed last, as the form was made: RFC 3339, or empty for a new one. */
  updated_at: string;
}

/** A kind of record that admins keep. */
export interface RecordKind<R extends { updated_at: string }, V extends Values> {
  /** `endpoint`. */
  noun: string;
  /** The name of their list: `Endpoints`. */
  plural: string;
  /** Path of the list; a record's page is below. */
  list: string;
  /** Path of the records in the API. */
  records: string;
  /** The field that names a new record. */
  key: "id" | "email";
  nameOf(record: R): { id: string; name: string };
  /** What the form of a new one holds. */
  blank(visit: Visit): V;
  valuesOf(record: R): V;
  /** What was typed. */
  read(form: Fields, values: Values): V;
  /** What the API is sent. What is off in it, the API says. */
  body(values: V): object;
  /** See `fieldError`. */
  fields: Readonly<Record<string, string>>;
  phrases: Readonly<Record<string, string>>;
  /** The form's cards. */
  form(values: V, error: FieldError | null): Child;
  /** Under the headline; of null for a new one. */
  lead(record: R | null, visit: Visit): Child;
  /** Links at the top of a record's page. */
  links?(record: R): Child;
  /** What else can be done with a record. */
  more?(record: R, visit: Visit): Child;
  /** What is said once a new one is there. */
  welcome(record: R): string;
  remove: {
    /** Default Delete. */
    verb?: "Remove";
    /** What it leads to. */
    text: string;
    /** What to do where the record is in use. */
    steps?: (id: string) => Child[];
  };
}

const CHANGED_MEANWHILE = new Problem(
  409,
  "conflict",
  "Somebody changed this since you opened the page. Your entries are still here, but check them against what is there now before you save again",
);

/** The pages that add, show, change and delete records of a kind. */
export function recordPages<R extends { updated_at: string }, V extends Values>(
  kind: RecordKind<R, V>,
): Page[] {
  const { noun, list, records, key, nameOf } = kind;
  const pathOf = (id: string) => recordPath(list, id);
  const recordOf = (id: string) => `${records}/${encodeURIComponent(id)}`;
  const verb = kind.remove.verb ?? "Delete";
  const deleted = verb === "Remove" ? "removed" : "deleted";
  const question = (name: string) => `${verb} the ${noun} ${name}? ${kind.remove.text}`;

  /** The form, for a new record (null) or one that is there. */
  async function formPage(
    visit: Visit,
    record: R | null,
    values: V,
    problem: Problem | null = null,
  ): Promise<Reply> {
    const { visitor } = visit;
    const { id, name } = record === null ? { id: "", name: `Add ${noun}` } : nameOf(record);
    const above = trail({ label: kind.plural, path: list });
    return show(
      problem === null ? name : `Error: ${name}`,
      <>
        <PageHead
          title={name}
          trail={id === "" || id === name ? above : [...above, { label: id }]}
          lead={kind.lead(record, visit)}
        >
          {record !== null && kind.links?.(record)}
        </PageHead>
        <Form visitor={visitor} action={record === null ? `${list}/new` : pathOf(id)} class="record">
          <Refusal problem={problem} />
          <AccountOptions accounts={await accountChoices(visit.api)} />
          <input type="hidden" name="updated_at" value={values.updated_at} />
          {kind.form(values, fieldError(problem, kind.fields, kind.phrases))}
          <FormButtons label={record === null ? `Add ${noun}` : "Save changes"} cancel={list} />
        </Form>
        {record !== null && (
          <div class="after">
            {kind.more?.(record, visit)}
            <Card title={`${verb} this ${noun}`}>
              <p>{kind.remove.text}</p>
              <Form
                visitor={visitor}
                action={recordPath(list, id, "delete")}
                confirm={question(name)}
                yes={`${verb} ${noun}`}
              >
                <FormButtons label={`${verb} ${noun}`} kind="danger" />
              </Form>
            </Card>
          </div>
        )}
      </>,
      problem?.status ?? 200,
    );
  }

  const newPage = page("admin", {
    method: "GET",
    path: `${list}/new`,
    handle: (visit) => formPage(visit, null, kind.blank(visit)),
  });

  const createPage = page("admin", {
    method: "POST",
    path: `${list}/new`,
    async handle(visit) {
      const { api, form } = visit;
      const values = kind.read(form, { id: form.text(key), updated_at: "" });
      const refuse = (status: number, text: string) =>
        formPage(visit, null, values, new Problem(status, "", `${key} ${text}`));
      if (values.id === "") return refuse(400, "is required");
      // A PUT would overwrite what is there under the same name.
      const there = await api.get<R>(recordOf(values.id));
      if (!(there instanceof Problem)) {
        return refuse(409, `must be a new one: ${nameOf(there).name} has this ${key} already`);
      }
      if (there.status !== 404) return there;
      const made = await api.call<R>("PUT", recordOf(values.id), { body: kind.body(values) });
      return made instanceof Problem
        ? formPage(visit, null, values, made)
        : done(pathOf(nameOf(made).id), kind.welcome(made));
    },
  });

  const showPage = page("admin", {
    method: "GET",
    path: `${list}/{id}/edit`,
    async handle(visit) {
      const record = await visit.api.get<R>(recordOf(visit.params.id!));
      return record instanceof Problem ? record : formPage(visit, record, kind.valuesOf(record));
    },
  });

  const savePage = page("admin", {
    method: "POST",
    path: `${list}/{id}/edit`,
    async handle(visit) {
      const { api, form, params } = visit;
      const before = await api.get<R>(recordOf(params.id!));
      if (before instanceof Problem) return before;
      const { id } = nameOf(before);
      const values = kind.read(form, { id, updated_at: before.updated_at });
      if (form.text("updated_at") !== before.updated_at) {
        return formPage(visit, before, values, CHANGED_MEANWHILE);
      }
      const saved = await api.call<R>("PUT", recordOf(id), { body: kind.body(values) });
      return saved instanceof Problem
        ? formPage(visit, before, values, saved)
        : done(pathOf(id), `${nameOf(saved).name} is saved.`);
    },
  });

  const deletePage = page("admin", {
    method: "POST",
    path: `${list}/{id}/delete`,
    async handle(visit) {
      const id = visit.params.id!;
      const back = pathOf(id);
      if (!isConfirmed(visit)) {
        const [title, yes] = [`${verb} ${noun}`, `${verb} ${noun}`];
        return confirmation(visit, { title, question: question(id), yes, danger: true, back });
      }
      const problem = await visit.api.call("DELETE", recordOf(id));
      if (!(problem instanceof Problem)) return done(list, `The ${noun} ${id} is ${deleted}.`);
      return problem.code === "in_use" ? inUse(id, problem) : problem;
    },
  });

  /** "It cannot be deleted", and the way out. */
  function inUse(id: string, { detail, status }: Problem) {
    const title = `The ${noun} is in use`;
    return show(
      title,
      <>
        <PageHead title={title} lead={`${sentence(detail)} Nothing was deleted.`} />
        <Card title="What to do">
          <ol class="steps">
            {kind.remove.steps?.(id).map((step) => (
              <li>{step}</li>
            ))}
          </ol>
        </Card>
        <ButtonLink href={pathOf(id)}>{`Back to the ${noun}`}</ButtonLink>
      </>,
      status,
    );
  }

  return [newPage, createPage, showPage, savePage, deletePage];
}
