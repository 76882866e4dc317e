import { defaultPath } from "../../endpoints/path.ts";
import { Card } from "../components.tsx";
import { Choice, Field, Select } from "../form-controls.tsx";
import type { Fields } from "../forms.ts";
import type { FieldError } from "./field-errors.ts";
import { CheckField, LinesField, TextField } from "./fields.tsx";
import type { Values } from "./record-pages.tsx";
import type { EndpointView } from "./records.ts";

/** An endpoint's members as a form has them: text, as typed. */
export interface EndpointValues extends Values {
  owner: "account" | "everyone";
  account_id: string;
  name: string;
  protocol: string;
  path: string;
  origin: string;
  test_origin: string;
  operations: string;
  credential_header: string;
  credential_secret: string;
  credential_scheme: string;
  assertion: boolean;
  allow_query_key: boolean;
  redirects: string;
  timeout_seconds: string;
  freshness: string;
  cors: string;
}

export const NEW_ENDPOINT: EndpointValues = {
  id: "",
  owner: "account",
  account_id: "",
  name: "",
  protocol: "openai",
  path: "",
  origin: "",
  test_origin: "",
  operations: "",
  credential_header: "",
  credential_secret: "",
  credential_scheme: "",
  assertion: false,
  allow_query_key: false,
  redirects: "refuse",
  timeout_seconds: "120",
  freshness: "bounded",
  cors: "",
  updated_at: "",
};

/** A record as the form shows it. */
export function valuesOf(endpoint: EndpointView): EndpointValues {
  const { account_id, operations, credential, cors } = endpoint;
  return {
    ...endpoint,
    owner: account_id === null ? "everyone" : "account",
    account_id: account_id ?? "",
    test_origin: endpoint.test_origin ?? "",
    operations: (operations ?? [])
      .map(({ method, path, access }) => `${method} ${path} ${access}`)
      .join("\n"),
    credential_header: credential?.header ?? "",
    credential_secret: credential?.secret ?? "",
    credential_scheme: credential?.scheme ?? "",
    timeout_seconds: String(endpoint.timeout_seconds),
    cors: (cors?.origins ?? []).join("\n"),
  };
}

/** What was typed. */
export function readValues(form: Fields, values: Values): EndpointValues {
  const texts = Object.keys(NEW_ENDPOINT).map((name) => [name, form.text(name)]);
  return {
    ...(Object.fromEntries(texts) as unknown as EndpointValues),
    ...values,
    owner: form.text("owner") === "everyone" ? "everyone" : "account",
    assertion: form.has("assertion"),
    allow_query_key: form.has("allow_query_key"),
  };
}

const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** The body that the values stand for. What is off in it, the API says. */
export function bodyOf(values: EndpointValues): object {
  const rules = lines(values.operations).map((line) => {
    const [method = "", path = "", access = "", ...rest] = line.split(/\s+/);
    return { method: method.toUpperCase(), path, access: [access.toLowerCase(), ...rest].join(" ") };
  });
  const origins = lines(values.cors);
  const { credential_header: header, credential_secret: secret, credential_scheme: scheme } = values;
  return {
    account_id: values.owner === "everyone" ? null : values.account_id,
    name: values.name,
    api: values.protocol === "graphql" ? "graphql" : "inference",
    protocol: values.protocol,
    path: values.path === "" ? null : values.path,
    origin: values.origin,
    test_origin: values.test_origin === "" ? null : values.test_origin,
    operations: rules.length === 0 ? null : rules,
    credential: [header, secret, scheme].every((part) => part === "")
      ? null
      : { header, secret, ...(scheme !== "" && { scheme }) },
    assertion: values.assertion,
    allow_query_key: values.allow_query_key,
    redirects: values.redirects,
    ...(values.timeout_seconds !== "" && { timeout_seconds: Number(values.timeout_seconds) }),
    freshness: values.freshness,
    cors: origins.length === 0 ? null : { origins },
  };
}

export const FIELDS = {
  id: "id",
  account_id: "account_id",
  name: "name",
  protocol: "protocol",
  path: "path",
  origin: "origin",
  test_origin: "test_origin",
  operations: "operations",
  credential: "credential_header",
  "credential.header": "credential_header",
  "credential.secret": "credential_secret",
  "credential.scheme": "credential_scheme",
  timeout_seconds: "timeout_seconds",
  cors: "cors",
  "cors.origins": "cors",
};

export const PHRASES = { "Unknown account": "account_id", "The path ": "path", "Name ": "name" };

const PROTOCOLS = [
  {
    value: "openai",
    label: "OpenAI-compatible",
    hint: "GET and HEAD read; everything else, such as POST /chat/completions, writes.",
  },
  {
    value: "serverless",
    label: "Serverless job queue",
    hint: "Runpod's routes: status, stream and health read; run, runsync and cancel write; unknown routes are 404.",
  },
  {
    value: "http",
    label: "Any HTTP",
    hint: "GET and HEAD read; POST, PUT, PATCH, DELETE and WebSockets write.",
  },
  {
    value: "graphql",
    label: "GraphQL",
    hint: "The document decides: queries and subscriptions read, mutations write. Judged by a key's GraphQL permission.",
  },
];

/** The cards of an endpoint's form. */
export function EndpointCards({ values, error }: { values: EndpointValues; error: FieldError | null }) {
  const isNew = values.updated_at === "";
  return (
    <>
      <Card title="What it is">
        {isNew && (
          <TextField
            name="id"
            label="Id"
            value={values.id}
            error={error}
            required
            mono
            maxlength={63}
            hint="Short and lasting: it names the endpoint in paths and permissions. Letters, digits, - and _."
          />
        )}
        <TextField
          name="name"
          label="Name"
          value={values.name}
          error={error}
          required
          maxlength={64}
          hint="What people see in lists."
        />
        <div class="wide-choice">
          <Choice
            legend="Who sees it"
            name="owner"
            value={values.owner}
            options={[
              { value: "account", label: "One account", hint: "For all others it does not exist: 404." },
              { value: "everyone", label: "Every account", hint: "Shared. Keys still need access to it." },
            ]}
          />
        </div>
        <div data-show-when="owner=account">
          <TextField
            name="account_id"
            label="Account"
            value={values.account_id}
            error={error}
            list="accounts"
            mono
            hint="Its id, such as acme."
          />
        </div>
        <div class="wide-choice">
          <Choice legend="What it speaks" name="protocol" value={values.protocol} options={PROTOCOLS} />
        </div>
      </Card>
      <Card title="Where it is">
        <TextField
          name="path"
          label="Path on this gateway"
          value={values.path}
          error={error}
          mono
          placeholder={defaultPath("inference", values.id || "ID")}
          hint="One to three segments; the last may be * to serve any id. Empty: /v2/ID, or /graphql/ID for GraphQL."
        />
        <TextField
          name="origin"
          label="Origin"
          value={values.origin}
          error={error}
          required
          mono
          placeholder="https://models.example.com/v1"
          hint="The https URL requests are forwarded to; what follows the path is added to it."
        />
        <TextField
          name="test_origin"
          label="Origin for test keys"
          value={values.test_origin}
          error={error}
          mono
          hint="Empty: keys of the test environment are refused here."
        />
      </Card>
      <Card title="What the origin is told">
        <p class="hint">
          A credential of the gateway's own, so that the origin answers nobody else. Only the secret's name is
          kept here; its value is set where the gateway is deployed.
        </p>
        <div class="columns">
          <TextField
            name="credential_header"
            label="Header"
            value={values.credential_header}
            error={error}
            mono
            placeholder="authorization"
          />
          <TextField
            name="credential_secret"
            label="Name of the secret"
            value={values.credential_secret}
            error={error}
            mono
            placeholder="ORIGIN_MODELS_TOKEN"
          />
          <TextField
            name="credential_scheme"
            label="Word before the value"
            value={values.credential_scheme}
            error={error}
            mono
            placeholder="Bearer"
          />
        </div>
        <CheckField
          name="assertion"
          label="Send a signed assertion"
          checked={values.assertion}
          hint="A short-lived token in x-postern-assertion that says which account and key called, for the origin to verify."
        />
      </Card>
      <Card title="Rules">
        <LinesField
          name="operations"
          label="Own rules for what reads and what writes"
          value={values.operations}
          error={error}
          placeholder="POST /search/* read"
          hint="One a line: method, path below the endpoint, read or write. The first that fits wins over the table above. * is one segment; at the end, everything below. Not for GraphQL."
        />
        <LinesField
          name="cors"
          label="Web pages that may call it"
          value={values.cors}
          error={error}
          rows={3}
          placeholder="https://app.example.com"
          hint="Origins for CORS, one a line. Empty: none."
        />
        <CheckField
          name="allow_query_key"
          label="Take keys from ?api_key="
          checked={values.allow_query_key}
          hint="For clients that cannot set headers. Keys in URLs end up in histories and logs."
        />
      </Card>
      <Card title="Behaviour">
        <div class="wide-choice">
          <Choice
            legend="When a key or this endpoint changes"
            name="freshness"
            value={values.freshness}
            options={[
              {
                value: "bounded",
                label: "In force within seconds",
                hint: "Decided from memory; the usual choice.",
              },
              {
                value: "strict",
                label: "In force at once",
                hint: "Every request asks the ledger first: slower, but no request after a revocation gets through.",
              },
            ]}
          />
        </div>
        <div class="columns">
          <Field name="redirects" label="Redirects by the origin">
            <Select
              name="redirects"
              value={values.redirects}
              options={[
                ["refuse", "Refuse (502)"],
                ["pass", "Pass on to the client"],
              ]}
            />
          </Field>
          <TextField
            name="timeout_seconds"
            label="Seconds to wait for an answer"
            type="number"
            min={1}
            max={600}
            value={values.timeout_seconds}
            error={error}
          />
        </div>
      </Card>
    </>
  );
}
