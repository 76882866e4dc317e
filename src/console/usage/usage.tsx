import { READERS } from "../../api/route.ts";
import type { Child } from "../../html/jsx-runtime.ts";
import { Problem, search } from "../api.ts";
import { Card, EmptyState, NoticeBox, When } from "../components.tsx";
import { KeyHead } from "../keys/detail.tsx";
import { keyPath, LIST } from "../keys/paths.ts";
import { keyApiPath, readKeyView } from "../keys/read-key.ts";
import { page } from "../page.ts";
import { show } from "../replies.tsx";
import { number, Proportion, stepName, UsageChart } from "./chart.tsx";
import {
  byEndpoint,
  readSpan,
  SPANS,
  type Span,
  type Step,
  seriesOf,
  sum,
  type Usage,
  usageQuery,
} from "./series.ts";

export const usagePage = page(READERS, {
  method: "GET",
  path: `${LIST}/{id}/usage`,
  async handle(visit) {
    const { api, visitor, query, now } = visit;
    const span = readSpan(query.get("span"));
    const key = await readKeyView(visit);
    if (key instanceof Problem) return key;
    const usage = await api.get<Usage>(`${keyApiPath(key.id)}/usage`, usageQuery(span, now));
    return show(
      `Usage of ${key.name}`,
      <>
        <KeyHead visitor={visitor} keyView={key} current="usage" />
        <div class="head-row">
          <nav class="spans" aria-label="Span of time">
            {Object.entries(SPANS).map(([name, { label }]) => (
              <a
                class="button small"
                href={keyPath(key.id, "usage") + search({ span: name })}
                aria-current={name === span ? "page" : undefined}
              >
                {label}
              </a>
            ))}
          </nav>
          <p>
            <span class="quiet">Last used</span> <When at={key.last_used_at} />
          </p>
        </div>
        {usage instanceof Problem ? (
          <NoticeBox kind="error">{usage.detail}</NoticeBox>
        ) : (
          <Counted usage={usage} span={span} />
        )}
      </>,
    );
  },
});

function Counted({ usage, span }: { usage: Usage; span: Span }) {
  const { reads, writes, denials } = usage.totals;
  const denied = sum(denials);
  const { title } = SPANS[span];
  if (reads + writes + denied === 0) {
    return (
      <EmptyState title="Not used">
        No request came with this key in {title}. A request shows here some 15 seconds after it was made;
        where many keys are busy, up to an hour and a quarter.
      </EmptyState>
    );
  }
  const steps = seriesOf(usage, span);
  const summary = `${number(reads)} reads, ${number(writes)} writes and ${number(denied)} denials in ${title}`;
  return (
    <>
      <dl class="totals">
        <Total name="Reads" value={reads} />
        <Total name="Writes" value={writes} />
        <Total name="Denied" value={denied} />
      </dl>
      <Card title={`Requests in ${title}`}>
        <UsageChart
          steps={steps}
          span={span}
          summary={`Chart: ${summary}. The table below has the figures.`}
        />
      </Card>
      {denied > 0 && (
        <Card title="Denials by reason">
          <Denials denials={denials} />
        </Card>
      )}
      <Card title="By endpoint">
        <Counts
          caption={`Requests in ${title}, by endpoint`}
          columns={["Endpoint", "Reads", "Writes", "Denied"]}
          rows={byEndpoint(usage.data).map(({ endpoint_id, reads, writes, denied }) => [
            endpoint_id === null ? (
              <span class="quiet">None (refused before)</span>
            ) : (
              <code>{endpoint_id}</code>
            ),
            number(reads),
            number(writes),
            number(denied),
          ])}
        />
      </Card>
      <Card title={`By the ${SPANS[span].step}`}>
        <StepTable steps={steps} span={span} reasons={Object.keys(denials)} title={title} />
        <p class="hint">
          Times are UTC. The newest requests show some 15 seconds after they were made; where many keys are
          busy, up to an hour and a quarter.
        </p>
      </Card>
    </>
  );
}

function Total({ name, value }: { name: string; value: number }) {
  return (
    <div class="card">
      <dt>{name}</dt>
      <dd>{number(value)}</dd>
    </div>
  );
}

/** The reasons of the log and the counts, for those who wonder why a client is refused. */
const REASONS: Record<string, string> = {
  insufficient_scope: "Not allowed by the key’s permissions",
  disabled: "The key was disabled",
  expired: "The key had expired",
  revoked: "The key was revoked",
  account_suspended: "The account was suspended",
  environment_not_available: "No test origin at the endpoint",
  endpoint_not_found: "No such endpoint",
  invalid_request: "Malformed request",
  method_not_allowed: "Wrong method",
  not_found: "No such path at the endpoint",
  query_key_not_allowed: "Key in the URL, where the endpoint takes none",
  body_too_large: "Too large to inspect",
  unsupported_media_type: "Not a format that can be inspected",
  state_unavailable: "State of the key not to be had",
};

const reasonName = (reason: string) => REASONS[reason] ?? reason.replaceAll("_", " ");

function Denials({ denials }: { denials: Record<string, number> }) {
  const most = Math.max(...Object.values(denials));
  const sorted = Object.entries(denials).sort(([, one], [, other]) => other - one);
  return (
    <ul class="reasons">
      {sorted.map(([reason, count]) => (
        <li>
          <span>
            {reasonName(reason)} <code class="quiet">{reason}</code>
          </span>
          <strong>{number(count)}</strong>
          <Proportion part={count / most} kind="denied" />
        </li>
      ))}
    </ul>
  );
}

function StepTable(props: { steps: readonly Step[]; span: Span; reasons: readonly string[]; title: string }) {
  const { steps, span, reasons, title } = props;
  return (
    <Counts
      caption={`Requests in ${title}, by the ${SPANS[span].step}`}
      columns={[span === "day" ? "From" : "Day", "Reads", "Writes", "Denied", ...reasons.map(reasonName)]}
      rows={steps.map(({ start, reads, writes, denied, denials }) => [
        <time datetime={new Date(start).toISOString()}>{stepName(start, span)}</time>,
        ...[reads, writes, denied, ...reasons.map((reason) => denials[reason] ?? 0)].map(number),
      ])}
    />
  );
}

/** A table of figures. It stays one on a phone, and scrolls. */
function Counts({
  caption,
  columns,
  rows,
}: {
  caption: string;
  columns: readonly string[];
  rows: readonly (readonly Child[])[];
}) {
  return (
    <section class="scroll" tabindex={0} aria-label={caption}>
      <table class="counts">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((label) => (
              <th scope="col">{label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...rest]) => (
            <tr>
              <th scope="row">{first}</th>
              {rest.map((value) => (
                <td>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
