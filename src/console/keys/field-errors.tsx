import type { Problem } from "../api.ts";
import { forPeople } from "./words.ts";

/** What is wrong with a form: a sentence by field; under the empty name, what belongs to none. */
export type FieldErrors = ReadonlyMap<string, string>;

/** Where a field's error is mended: the id of its input, where that is not the field's own name. */
const INPUTS: Record<string, string> = {
  permission: "permission-all",
  inference: "inference-none",
  graphql: "graphql-none",
  kubernetes: "kubernetes-none",
  scopes: "more_scopes",
  expiry: "expires_on",
};

/** Which field a refusal of the API is about, by the member or the kind of thing that it names. */
const FIELDS: readonly (readonly [about: RegExp, field: string])[] = [
  [/^name /, "name"],
  [/^description /, "description"],
  [/^expires_at |can only expire sooner/, "expiry"],
  [/^Unknown template/, "template"],
  [/namespace/i, "kubernetes"],
  [/^Unknown endpoint|restricted\.inference/, "inference"],
  [/graphql\.queries/, "queries"],
  [/graphql\.mutations/, "mutations"],
  [/^scopes\[|scope/i, "scopes"],
];

/** A refusal of the API, at the field it is about. */
export function errorsOf({ detail }: Problem): FieldErrors {
  return new Map([[fieldOf(detail), forPeople(detail)]]);
}

/** The field that a sentence of the API is about; empty where it is about none. */
export function fieldOf(detail: string): string {
  return FIELDS.find(([about]) => about.test(detail))?.[1] ?? "";
}

/** All that is wrong, at the top of the page, with the way to each field. It has the focus when the page opens. */
export function ErrorSummary({ errors }: { errors: FieldErrors }) {
  if (errors.size === 0) return null;
  return (
    <div class="notice error" role="alert" tabindex={-1} autofocus>
      <strong>{errors.size === 1 ? "There is a problem" : `There are ${errors.size} problems`}</strong>
      <ul>
        {[...errors].map(([field, text]) => (
          <li>{field === "" ? text : <a href={`#${INPUTS[field] ?? field}`}>{text}</a>}</li>
        ))}
      </ul>
    </div>
  );
}

/** What is wrong, at the field. */
export function ErrorText({ errors, field }: { errors: FieldErrors; field: string }) {
  const text = errors.get(field);
  return text === undefined ? null : (
    <p class="error" id={`${field}-error`}>
      {text}
    </p>
  );
}
