import type { Outcome } from "../../gateway/try-path.ts";
import type { Child } from "../../html/jsx-runtime.ts";
import { Problem } from "../api.ts";
import { Badge, Card, Facts, PageHead } from "../components.tsx";
import { Field, FormButtons, Select } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { page, type Visit } from "../page.ts";
import { show } from "../replies.tsx";
import { fieldError } from "./field-errors.ts";
import { CheckField, LinesField, Refusal, sentence, TextField } from "./fields.tsx";
import { ENDPOINTS, recordPath, trail } from "./paths.ts";

const PATH = `${ENDPOINTS}/try`;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

interface Tried {
  method: string;
  path: string;
  websocket: boolean;
  document: string;
}

function tryPage(
  { visitor }: Visit,
  tried: Tried,
  { outcome = null, problem = null }: { outcome?: Outcome | null; problem?: Problem | null } = {},
) {
  const error = fieldError(problem, { path: "path", method: "method", document: "document" });
  return show(
    "Try a path",
    <>
      <PageHead
        title="Try a path"
        trail={trail({ label: "Endpoints", path: ENDPOINTS }, { label: "Try a path" })}
        lead="Which endpoint would answer, what the request would do there, and what a key would need. Nothing is sent."
      />
      <Card>
        <Form visitor={visitor} action={PATH}>
          <Refusal problem={problem} />
          <div class="method-path">
            <Field name="method" label="Method">
              <Select
                name="method"
                value={tried.method}
                options={METHODS.map((method) => [method, method])}
              />
            </Field>
            <TextField
              name="path"
              label="Path"
              value={tried.path}
              error={error}
              required
              mono
              placeholder="/v2/ID/chat/completions"
            />
          </div>
          <details open={tried.document !== "" || tried.websocket}>
            <summary>GraphQL document, WebSocket</summary>
            <LinesField
              name="document"
              label="GraphQL document"
              value={tried.document}
              error={error}
              placeholder="query { pods { id } }"
              hint="What a POST to a GraphQL endpoint would carry."
            />
            <CheckField
              name="websocket"
              label="It asks for a WebSocket"
              checked={tried.websocket}
              hint="GET with Upgrade: websocket."
            />
          </details>
          <FormButtons label="Try" />
        </Form>
      </Card>
      {outcome !== null && <Verdict tried={tried} outcome={outcome} />}
    </>,
    problem?.status ?? 200,
  );
}

const ACCESS = { read: "Read Only", read_write: "Read/Write" };

function Verdict({ tried, outcome }: { tried: Tried; outcome: Outcome }) {
  const { endpoint, denial, operation, access, operations, endpoint_id, tail } = outcome;
  const [headline, text] = verdictOf(tried, outcome);
  const facts: [string, Child][] = [];
  if (endpoint !== null) {
    facts.push(
      [
        "Endpoint",
        <>
          <a href={recordPath(ENDPOINTS, endpoint.id)}>{endpoint.name}</a> <code>{endpoint.path}</code>
        </>,
      ],
      ["Id that permissions name", <code>{endpoint_id}</code>],
      [
        "Seen by",
        endpoint.account_id === null ? "Every account" : <>Keys of the account {endpoint.account_id} alone</>,
      ],
      ["Path below it", tail === "" ? "None" : <code>{tail}</code>],
    );
  }
  if (operation !== null)
    facts.push(["Operation", <Badge tone={operation === "read" ? "accent" : "warn"}>{operation}</Badge>]);
  if (access !== null) facts.push(["Access a key needs", ACCESS[access]]);
  if (denial !== null) facts.push(["Answer", <Badge tone="bad">{`${denial.status} ${denial.code}`}</Badge>]);
  if (denial?.allow) facts.push(["Allowed methods", denial.allow.join(", ")]);
  return (
    <section class="card verdict" aria-labelledby="verdict" id="result" tabindex={-1} autofocus>
      <h2 id="verdict">{headline}</h2>
      <p>{text}</p>
      <Facts facts={facts} />
      {operations !== null && operations.length > 0 && (
        <>
          <h3>What the document does</h3>
          <ul class="plain">
            {operations.map(({ type, root_fields }) => (
              <li>
                {type}: <code>{root_fields.join(", ")}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** The outcome in a headline and a sentence. */
function verdictOf({ method }: Tried, outcome: Outcome): [headline: string, text: Child] {
  const { endpoint, denial, operation, access } = outcome;
  if (denial !== null) {
    const reach = endpoint === null ? "It reaches no endpoint" : "Every key is refused";
    return [`${reach}: ${denial.status}`, sentence(denial.detail)];
  }
  if (method === "OPTIONS") {
    return ["Answered by the gateway itself", "Every OPTIONS is answered with 204 and never forwarded."];
  }
  if (operation === null) {
    return [
      "It depends on the GraphQL document",
      "A query or a subscription needs Read Only, a mutation Read/Write. Enter the document to see.",
    ];
  }
  const api = endpoint!.protocol === "graphql" ? "GraphQL" : "the endpoint";
  const kind = operation === "read" ? "A read" : "A write";
  return [
    `${kind}: it needs ${ACCESS[access!]}`,
    <>
      A key with {operation === "read" ? "Read Only or Read/Write" : "Read/Write"} on {api} gets through;
      others are answered 403.
    </>,
  ];
}

const askPage = page("admin", {
  method: "GET",
  path: PATH,
  handle(visit) {
    const path = visit.query.get("path") ?? "";
    return tryPage(visit, { method: "GET", path: path.replace(/\*$/, ""), websocket: false, document: "" });
  },
});

const answerPage = page("admin", {
  method: "POST",
  path: PATH,
  async handle(visit) {
    const { api, form } = visit;
    const document = form.text("document");
    const method = form.text("method");
    const websocket = form.has("websocket");
    const tried = { method, path: form.text("path"), websocket, document };
    const body = { method, path: tried.path, websocket, ...(document !== "" && { document }) };
    const outcome = await api.call<Outcome>("POST", "/admin/try-path", { body });
    return outcome instanceof Problem
      ? tryPage(visit, tried, { problem: outcome })
      : tryPage(visit, tried, { outcome });
  },
});

export const tryPages = [askPage, answerPage];
