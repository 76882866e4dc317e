import { readLines } from "../../api/lines.ts";
import { streamLines } from "../../api/stream-lines.ts";
import type { Child } from "../../html/jsx-runtime.ts";
import type { Api } from "../api.ts";
import { Problem } from "../api.ts";
import { Card, CopyBox, NoticeBox, PageHead } from "../components.tsx";
import { FormButtons } from "../form-controls.tsx";
import { count } from "../keys/words.ts";
import { Form } from "../layout.tsx";
import { page, type Visit } from "../page.ts";
import { show } from "../replies.tsx";
import { sentence } from "./fields.tsx";
import { trail } from "./paths.ts";

const PATH = "/console/admin/import";
const STREAM = `${PATH}/stream`;

/** Failed lines that are shown; the rest are only counted, as somebody mends the first and sends the file again. */
const MOST_FAILURES = 1000;
/** Longest line of the API's answer, in bytes: it repeats nothing of the line it answers. */
const LONGEST_RESULT = 16 * 1024;

interface Result {
  line?: number;
  error?: { message: string };
  summary?: Summary;
}

interface Summary {
  created: number;
  unchanged: number;
  failed: number;
}

/** What became of a file: a failed line at a time, then the summary; none where the answer ends early. */
async function* resultsOf(
  api: Api,
  lines: ReadableStream<Uint8Array>,
): AsyncGenerator<{ line: number; message: string } | Summary | Problem> {
  const answer = await api.stream("/admin/keys/import", "application/x-ndjson", lines);
  if (!answer.ok || answer.body === null) {
    const { detail = "The file could not be read" } = await answer.json<{ detail?: string }>();
    yield new Problem(answer.status, "", detail);
    return;
  }
  let failures = 0;
  for await (const { text } of readLines(answer.body, LONGEST_RESULT)) {
    const { line, error, summary } = JSON.parse(text!) as Result;
    if (summary !== undefined) yield summary;
    else if (error !== undefined && failures < MOST_FAILURES) {
      failures += 1;
      yield { line: line!, message: error.message };
    }
  }
}

function summaryText({ created, unchanged, failed }: Summary): string {
  const kept =
    unchanged === 0 ? "" : ` ${count(unchanged, "key")} ${unchanged === 1 ? "was" : "were"} there already.`;
  const lost = failed === 0 ? "" : ` ${count(failed, "line")} failed.`;
  const more = failed > MOST_FAILURES ? ` The first ${MOST_FAILURES} of them are listed.` : "";
  return `${count(created, "key")} imported.${kept}${lost}${more}`;
}

const EXAMPLE = [
  { account_id: "acme", name: "Old deploy key", sha256: "0".repeat(64), graphql: "read_write" },
  { account_id: "acme", name: "Notebook", sha256: "1".repeat(64), graphql: "read", prefix: "AB12" },
]
  .map((line) => JSON.stringify(line))
  .join("\n");

/** @param results what became of a file sent without scripts */
function importPage({ visitor }: Visit, results: Child = null, status = 200) {
  return show(
    "Import keys",
    <>
      <PageHead
        title="Import keys"
        trail={trail({ label: "Import keys" })}
        lead="Keys made elsewhere keep working here: legacy keys as they did, native keys of another gateway with the same secrets."
      />
      {results}
      <Card title="Send a file">
        <Form visitor={visitor} action={PATH} upload data-send-file={STREAM}>
          <div class="field">
            <label for="file">File of keys</label>
            <input
              id="file"
              name="file"
              type="file"
              required
              accept=".ndjson,.jsonl,.json,.txt,application/x-ndjson"
              aria-describedby="file-hint"
            />
            <p class="hint" id="file-hint">
              NDJSON: one key a line. Any size; up to 16 MiB where scripts are off. Sending a file again
              changes nothing that is there already.
            </p>
          </div>
          <progress hidden aria-label="Sent so far" />
          <FormButtons label="Import" />
        </Form>
        <div data-results class="results" tabindex={-1} hidden />
      </Card>
      <Card title="What a line says">
        <CopyBox id="example" label="the example" value={EXAMPLE} lines />
        <ul class="plain bullets">
          <li>
            <code>account_id</code> and <code>name</code>: whose it is, and what people call it.
          </li>
          <li>
            <code>sha256</code>, the SHA-256 of the whole key in hexadecimal; or <code>key</code>, the key
            itself, which is hashed and forgotten.
          </li>
          <li>
            <code>graphql</code>, <code>read</code> or <code>read_write</code>, for a legacy key; or{" "}
            <code>scopes</code>, for a native one.
          </li>
          <li>
            If you like: <code>prefix</code> (the part that may be shown), <code>enabled</code>,{" "}
            <code>created_at</code>, <code>expires_at</code>, <code>environment</code>, <code>id</code>.
          </li>
        </ul>
      </Card>
    </>,
    status,
  );
}

const formPage = page("admin", { method: "GET", path: PATH, handle: (visit) => importPage(visit) });

const sendPage = page("admin", {
  method: "POST",
  path: PATH,
  body: "file",
  async handle(visit) {
    const file = visit.form.file("file");
    if (file === null || file.size === 0) {
      return importPage(visit, <NoticeBox kind="error">Choose a file that has lines in it.</NoticeBox>, 400);
    }
    const failures: { line: number; message: string }[] = [];
    let summary: Summary | null = null;
    for await (const result of resultsOf(visit.api, file.stream())) {
      if (result instanceof Problem) return importPage(visit, <Unread problem={result} />, result.status);
      if ("line" in result) failures.push(result);
      else summary = result;
    }
    return importPage(visit, <Results summary={summary} failures={failures} />);
  },
});

function Unread({ problem }: { problem: Problem }) {
  return (
    <NoticeBox kind="error" title="The file was not read">
      {sentence(problem.detail)}
    </NoticeBox>
  );
}

const CUT_SHORT = "The import ended early. It is safe to send the file again.";

function Results({
  summary,
  failures,
}: {
  summary: Summary | null;
  failures: readonly { line: number; message: string }[];
}) {
  return (
    <div class="results">
      <NoticeBox
        kind={summary === null ? "error" : summary.failed > 0 ? "warning" : "success"}
        title="The import is done"
      >
        {summary === null ? CUT_SHORT : summaryText(summary)}
      </NoticeBox>
      {failures.length > 0 && (
        <Card title="Lines that failed">
          <ul class="plain">
            {failures.map(({ line, message }) => (
              <li>
                Line {line}: {message}
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  );
}

/** The same for a page with scripts: a file of any size, answered by a line of JSON text each, the summary last. */
const streamPage = page("admin", {
  method: "POST",
  path: STREAM,
  body: "stream",
  handle({ api, arrival }) {
    const { body } = arrival.request;
    if (body === null) return new Problem(400, "invalid_request", "The file is empty");
    return new Response(streamLines(asText(resultsOf(api, body))), {
      headers: { "content-type": "application/x-ndjson" },
    });
  },
});

/** What failed, a text for each, and what came of it all at the end. */
async function* asText(results: AsyncGenerator<{ line: number; message: string } | Summary | Problem>) {
  let end = CUT_SHORT;
  for await (const result of results) {
    if (result instanceof Problem) end = sentence(result.detail);
    else if ("line" in result) yield `Line ${result.line}: ${result.message}`;
    else end = summaryText(result);
  }
  yield end;
}

export const importPages = [formPage, sendPage, streamPage];
