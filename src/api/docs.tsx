import { createHash } from "node:crypto";
import { raw } from "../html/jsx-runtime.ts";
import type { Media, OpenApi, Operation } from "./openapi.ts";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, currentcolor 25%, transparent); }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
body, h1, h2, h3, p, a, code { overflow-wrap: anywhere; }
h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
h3 { margin-bottom: 0; }
article { margin-top: 2rem; }
details { margin: 0.25rem 0; }
summary { cursor: pointer; padding: 0.25rem 0; }
code, pre { font: 0.875rem/1.5 ui-monospace, monospace; }
pre { border: 1px solid var(--line); border-radius: 0.25rem; overflow-x: auto; padding: 0.75rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 0.5rem 0.25rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th[scope="row"] { width: 3rem; }
nav ul { columns: 16rem; padding-left: 1rem; }
nav a { display: inline-block; padding: 0.125rem 0; }
`;

/** Nothing on the page is loaded or run: only this style, named by its hash. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The documentation as one page of HTML. */
export function docsPage(document: OpenApi): string {
  return `<!doctype html>${(<Page document={document} />).toString()}`;
}

interface Placed {
  method: string;
  path: string;
  operation: Operation;
}

function Page({ document }: { document: OpenApi }) {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Placed => ({ method, path, operation })),
  );
  const chapters = document.tags.map(({ name }) => ({
    name,
    placed: all.filter(({ operation }) => operation.tags.includes(name)),
  }));
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Postern API</title>
        <style>{raw(STYLE)}</style>
      </head>
      <body>
        <header>
          <h1>Postern API</h1>
          <p>
            <Text>{document.info.description}</Text>
          </p>
          <p>
            The same for machines: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).
          </p>
        </header>
        <nav aria-label="Operations">
          <ul>
            {all.map(({ operation }) => (
              <li>
                <a href={`#${operation.operationId}`}>{operation.summary}</a>
              </li>
            ))}
          </ul>
        </nav>
        <main>
          {chapters.map(({ name, placed }) => (
            <section>
              <h2>{name}</h2>
              {placed.map((one) => (
                <OperationView {...one} />
              ))}
            </section>
          ))}
          <section>
            <h2>Schemas</h2>
            {Object.entries(document.components.schemas).map(([name, schema]) => (
              <article>
                <h3 id={`schema-${name}`}>{name}</h3>
                <Code value={schema} />
              </article>
            ))}
          </section>
        </main>
      </body>
    </html>
  );
}

function OperationView({ method, path, operation }: Placed) {
  const { parameters, requestBody, responses } = operation;
  return (
    <article>
      <h3 id={operation.operationId}>{operation.summary}</h3>
      <p>
        <code>
          {method.toUpperCase()} {path}
        </code>
      </p>
      <p>{access(operation)}</p>
      {operation.description && (
        <p>
          <Text>{operation.description}</Text>
        </p>
      )}
      {parameters.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Parameter</th>
              <th>In</th>
              <th>What it is</th>
            </tr>
          </thead>
          <tbody>
            {parameters.map((parameter) => (
              <tr>
                <td>
                  <code>{parameter.name}</code>
                </td>
                <td>{parameter.in}</td>
                <td>
                  <Text>{parameter.description ?? ""}</Text> {enumeration(parameter.schema)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {Object.entries(requestBody?.content ?? {}).map(([type, media]) => (
        <>
          <h4>Body: {type}</h4>
          <Code value={media.example} />
          <details>
            <summary>Schema</summary>
            <Code value={media.schema} />
          </details>
        </>
      ))}
      <h4>Answers</h4>
      <table>
        <tbody>
          {Object.entries(responses).map(([status, { description, content }]) => (
            <tr>
              <th scope="row">{status}</th>
              <td>
                <Text>{description}</Text>
                {Object.values(content ?? {}).map((media) => (
                  <MediaView media={media} schema={Number(status) < 300} />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </article>
  );
}

/** The examples of a body, and its schema where that is not the same for all. */
function MediaView({ media, schema }: { media: Media; schema: boolean }) {
  const examples = media.examples ?? { Example: { value: media.example } };
  return (
    <>
      {Object.entries(examples).map(([name, { value }]) => (
        <details>
          <summary>
            <Text>{media.examples === undefined ? name : `\`${name}\``}</Text>
          </summary>
          <Code value={value} />
        </details>
      ))}
      {schema && (
        <details>
          <summary>Schema</summary>
          <Code value={media.schema} />
        </details>
      )}
    </>
  );
}

/** What opens a route, in words. */
function access({ security }: Operation): string {
  const names = security.flatMap((one) => Object.keys(one));
  const needs = [names.includes("session") && "a session", names.includes("key") && "an API key"];
  const given = needs.filter((word) => word !== false);
  return given.length === 0 ? "Open to anybody." : `Needs ${given.join(" or ")}.`;
}

function enumeration({ enum: values }: { enum?: unknown }): string {
  return Array.isArray(values) ? `One of: ${values.join(", ")}.` : "";
}

/** Text in which back quotes set off code. */
function Text({ children }: { children: string }) {
  return <>{children.split("`").map((part, i) => (i % 2 === 1 ? <code>{part}</code> : part))}</>;
}

/** JSON, its references as links. A scrolling box must be reachable by keyboard. */
function Code({ value }: { value: unknown }) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const parts = text.split(/"#\/components\/schemas\/(\w+)"/);
  return (
    <pre tabindex={0}>
      {parts.map((part, i) => (i % 2 === 1 ? <a href={`#schema-${part}`}>{part}</a> : part))}
    </pre>
  );
}
