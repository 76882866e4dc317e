import type { Child } from "../../html/jsx-runtime.ts";
import { graphqlAccess } from "../../keys/permissions.ts";
import { NoticeBox } from "../components.tsx";
import { Choice } from "../form-controls.tsx";
import { type Choices, inferenceEndpoints } from "./choices.ts";
import { ErrorText, type FieldErrors } from "./field-errors.tsx";
import { ENDPOINT_FIELD, type PermissionValues } from "./permission-values.ts";
import { ACCESS_LABELS, permissionsOf } from "./words.ts";

interface Part {
  values: PermissionValues;
  choices: Choices;
  errors: FieldErrors;
}

const LEVELS = ["none", "read", "read_write"] as const;
const LEVEL_OPTIONS = LEVELS.map((level) => [level, ACCESS_LABELS[level]] as const);

/**
 * Everything a key can be allowed. Without scripts all parts show, and those that the choice at the top does
 * not need are not read; with scripts they hide.
 */
export function PermissionFields(part: Part) {
  const { values, choices, errors } = part;
  const powerful = choices.templates.filter(({ scopes }) => writesGraphql(scopes)).map(({ name }) => name);
  return (
    <>
      <div class="wide-choice">
        <ErrorText errors={errors} field="permission" />
        <Choice legend="What may it do?" name="permission" value={values.permission} options={WAYS} />
      </div>
      <div data-show-when="permission=all">
        <GraphqlWarning />
      </div>
      <section class="part" data-show-when="permission=restricted" aria-labelledby="part-graphql">
        <h3 id="part-graphql">GraphQL</h3>
        <OnlyFor what="Restricted" />
        <Graphql {...part} />
      </section>
      <section class="part" data-show-when="permission=restricted" aria-labelledby="part-inference">
        <h3 id="part-inference">Inference endpoints</h3>
        <OnlyFor what="Restricted" />
        <Inference {...part} />
      </section>
      <section
        class="part"
        data-show-when="permission=restricted|kubernetes"
        aria-labelledby="part-kubernetes"
      >
        <h3 id="part-kubernetes">Kubernetes</h3>
        <OnlyFor what="Restricted or Kubernetes only" />
        <Kubernetes {...part} />
      </section>
      <section class="part" data-show-when="permission=template" aria-labelledby="part-template">
        <h3 id="part-template">Template</h3>
        <OnlyFor what="From a template" />
        <ErrorText errors={errors} field="template" />
        <div class="wide-choice">
          <Choice
            legend="Which template?"
            name="template"
            value={values.template}
            options={choices.templates.map(({ name, description }) => ({
              value: name,
              label: name,
              hint: description,
            }))}
          />
        </div>
        {powerful.length > 0 && (
          <div class="only-scripts" data-show-when={`template=${powerful.join("|")}`}>
            <GraphqlWarning />
          </div>
        )}
      </section>
      <section class="part" data-show-when="permission=scopes" aria-labelledby="part-scopes">
        <h3 id="part-scopes">Individual scopes</h3>
        <OnlyFor what="Individual scopes" />
        <ScopeList {...part} />
      </section>
    </>
  );
}

const WAYS = [
  {
    value: "all",
    label: "Read/Write (all access)",
    hint: "Everything: GraphQL, every endpoint and every Kubernetes namespace.",
  },
  {
    value: "read_only",
    label: "Read Only",
    hint: "Looks at GraphQL and every endpoint, and changes nothing.",
  },
  {
    value: "restricted",
    label: "Restricted",
    hint: "Each API and each endpoint as you choose. Starts with no access.",
  },
  {
    value: "inference",
    label: "Inference only",
    hint: "Calls every inference endpoint; no GraphQL, no Kubernetes.",
  },
  {
    value: "kubernetes",
    label: "Kubernetes only",
    hint: "Credentials for kubectl in the namespaces you choose.",
  },
  { value: "template", label: "From a template", hint: "A common set of permissions under a name." },
  { value: "scopes", label: "Individual scopes", hint: "Pick single scopes, as the API spells them." },
];

function writesGraphql(scopes: unknown): boolean {
  return graphqlAccess(permissionsOf(scopes)) === "read_write";
}

/** For those without scripts, who see every part. */
function OnlyFor({ what }: { what: string }) {
  return (
    <noscript>
      <p class="hint">Counts only if you choose “{what}” above.</p>
    </noscript>
  );
}

function GraphqlWarning() {
  return (
    <NoticeBox kind="warning" title="This key can spend your money">
      With GraphQL Read/Write, whoever holds the key controls your account: they can create, change and delete
      pods and endpoints, and run up charges until your balance is gone. If it leaks, so does that power.
      Allow it only where an automation cannot do without, for as few people and as short a time as you can.
    </NoticeBox>
  );
}

/** A choice of one among few words: radio buttons in a row. */
export function Segments({
  legend,
  name,
  options,
  value,
  quiet,
}: {
  legend: Child;
  name: string;
  options: readonly (readonly [value: string, label: string])[];
  value: string;
  /** Where the heading above says it already: the legend is for screen readers. */
  quiet?: boolean;
}) {
  return (
    <fieldset class="segments">
      <legend class={quiet ? "unseen" : undefined}>{legend}</legend>
      <div>
        {options.map(([option, label]) => (
          <label>
            <input
              type="radio"
              id={`${name}-${option}`}
              name={name}
              value={option}
              checked={option === value}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Graphql({ values, errors }: Part) {
  return (
    <>
      <Segments
        quiet
        legend="GraphQL access"
        name="graphql"
        value={values.graphql}
        options={[...LEVEL_OPTIONS, ["fields", "Named fields"]]}
      />
      <div class="only-scripts" data-show-when="graphql=read_write">
        <GraphqlWarning />
      </div>
      <div class="columns" data-show-when="graphql=fields">
        <FieldNames name="queries" label="Queries" value={values.queries} errors={errors} />
        <FieldNames name="mutations" label="Mutations" value={values.mutations} errors={errors} />
      </div>
    </>
  );
}

function FieldNames(props: { name: string; label: string; value: string; errors: FieldErrors }) {
  const { name, label, value, errors } = props;
  const wrong = errors.has(name);
  return (
    <div class={wrong ? "field wrong" : "field"}>
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        value={value}
        autocomplete="off"
        aria-invalid={wrong ? "true" : undefined}
        aria-describedby={wrong ? `${name}-hint ${name}-error` : `${name}-hint`}
      />
      <p class="hint" id={`${name}-hint`}>
        Root fields, separated by commas; * for all of them.
      </p>
      <ErrorText errors={errors} field={name} />
    </div>
  );
}

function Inference({ values, choices, errors }: Part) {
  const listed = inferenceEndpoints(choices);
  const known = new Set(listed.map(({ id }) => id));
  // What a key names and the list lacks: ids that a wildcard serves, or endpoints beyond the list.
  const named = [...values.endpoints.keys()].filter((id) => !known.has(id)).map((id) => ({ id, name: id }));
  const rows = [...listed, ...named];
  return (
    <>
      <ErrorText errors={errors} field="inference" />
      <Segments
        quiet
        legend="Access to inference endpoints"
        name="inference"
        value={values.inference}
        options={[...LEVEL_OPTIONS, ["endpoints", "Restricted"]]}
      />
      <div data-show-when="inference=endpoints">
        {rows.length === 0 ? (
          <p class="hint">This account has no inference endpoints yet.</p>
        ) : (
          <div data-group class="levels">
            <p class="actions">
              {LEVEL_OPTIONS.map(([level, label]) => (
                <button type="button" class="button small" data-set-all={level} hidden>
                  All {label}
                </button>
              ))}
            </p>
            <EndpointTable rows={rows} values={values} />
          </div>
        )}
        {choices.more && (
          <fieldset class="another">
            <legend>Another endpoint</legend>
            <label class="unseen" for="other_endpoint">
              Id of another endpoint
            </label>
            <input
              id="other_endpoint"
              name="other_endpoint"
              value={values.otherEndpoint}
              autocomplete="off"
              placeholder="Endpoint id"
            />
            <Segments
              quiet
              legend="Access to that endpoint"
              name="other_access"
              value={values.otherAccess}
              options={LEVEL_OPTIONS}
            />
          </fieldset>
        )}
        <Segments
          legend="All other endpoints, those added later too"
          name="others"
          value={values.others}
          options={LEVEL_OPTIONS}
        />
      </div>
    </>
  );
}

function EndpointTable({
  rows,
  values,
}: {
  rows: readonly { id: string; name: string }[];
  values: PermissionValues;
}) {
  return (
    <table>
      <caption class="unseen">Access to each endpoint</caption>
      <thead>
        <tr>
          <th scope="col">Endpoint</th>
          {LEVEL_OPTIONS.map(([, label]) => (
            <th scope="col">{label}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, name }) => {
          const chosen = values.endpoints.get(id) ?? values.others;
          return (
            <tr>
              <th scope="row">
                {name} {name !== id && <code class="quiet">{id}</code>}
              </th>
              {LEVEL_OPTIONS.map(([level, label]) => (
                <td>
                  <label>
                    <input type="radio" name={ENDPOINT_FIELD + id} value={level} checked={level === chosen} />
                    <span class="unseen">
                      {name}: {label}
                    </span>
                  </label>
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Kubernetes({ values, choices, errors }: Part) {
  const listed = new Set(choices.namespaces.map(({ id }) => id));
  // What a key holds beyond the list stays to be seen, and is not lost by saving.
  const held = values.namespaces.filter((id) => !listed.has(id)).map((id) => ({ id, name: id, server: "" }));
  const namespaces = [...choices.namespaces, ...held];
  return (
    <>
      <ErrorText errors={errors} field="kubernetes" />
      <Segments
        quiet
        legend="Credentials for kubectl"
        name="kubernetes"
        value={values.kubernetes}
        options={[
          ["none", "None"],
          ["all", "All namespaces"],
          ["chosen", "Chosen namespaces"],
        ]}
      />
      <div data-show-when="kubernetes=chosen">
        {namespaces.length === 0 ? (
          <p class="hint">This account has no namespaces yet. Whoever runs this gateway can add one.</p>
        ) : (
          <fieldset data-group class="boxes">
            <legend>Namespaces</legend>
            {namespaces.map(({ id, name, server }) => (
              <label class="check">
                <input type="checkbox" name="namespace" value={id} checked={values.namespaces.includes(id)} />
                <span>
                  {name} <code class="quiet">{id}</code>
                  <span class="hint">{server}</span>
                </span>
              </label>
            ))}
          </fieldset>
        )}
      </div>
      <p class="hint">Keys of the test environment get no credentials for kubectl.</p>
    </>
  );
}

const GROUPS = { inference: "Inference", graphql: "GraphQL", kubernetes_exec: "Kubernetes" };

function ScopeList({ values, choices, errors }: Part) {
  return (
    <>
      {choices.groups.map(({ group, scopes }) => (
        <fieldset class="boxes">
          <legend>{GROUPS[group]}</legend>
          {scopes.map(({ scope, description }) => (
            <label class="check">
              <input type="checkbox" name="scope" value={scope} checked={values.scopes.includes(scope)} />
              <span>
                <code>{scope}</code>
                <span class="hint">{description}</span>
              </span>
            </label>
          ))}
        </fieldset>
      ))}
      <div class={errors.has("scopes") ? "field wrong" : "field"}>
        <label for="more_scopes">Further scopes</label>
        <textarea id="more_scopes" name="more_scopes" rows={3} aria-describedby="more-hint">
          {values.moreScopes}
        </textarea>
        <p class="hint" id="more-hint">
          One to a line, such as <code>graphql:mutations:podStop</code>.
        </p>
        <ErrorText errors={errors} field="scopes" />
      </div>
    </>
  );
}
