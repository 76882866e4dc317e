import type { Child } from "../html/jsx-runtime.ts";
import type { Problem } from "./api.ts";
import { ButtonLink, Card, PageHead } from "./components.tsx";
import { FormButtons } from "./form-controls.tsx";
import { CONFIRMED_FIELD } from "./forms.ts";
import { Form } from "./layout.tsx";
import type { Notice } from "./notice.ts";
import type { Redirect, Shown, Visit } from "./page.ts";

/** A page to show. */
export function show(title: string, body: Child, status = 200): Shown {
  return { title, body, status };
}

/** On to another page, with something to say there. */
export function goTo(to: string, notice?: Notice): Redirect {
  return notice === undefined ? { to } : { to, notice };
}

/** On to another page that says it worked. */
export function done(to: string, text: string): Redirect {
  return goTo(to, { kind: "success", text });
}

/** Whether the person said yes; see `confirmation`. */
export function isConfirmed({ form }: Visit): boolean {
  return form.text(CONFIRMED_FIELD) === "yes";
}

/**
 * "Are you sure?" as a page, for a POST that was not confirmed: the same fields are sent again. With
 * scripts, `<Form confirm="…">` has asked in a dialog, and this page is never seen.
 */
export function confirmation(
  { visitor, form, arrival }: Visit,
  {
    title,
    question,
    yes = "Yes",
    danger = false,
    back,
  }: {
    title: string;
    question: Child;
    yes?: string;
    danger?: boolean;
    /** Where Cancel leads. */
    back: string;
  },
): Shown {
  const action = `/${arrival.url.segments.join("/")}`;
  return show(
    title,
    <>
      <PageHead title={title} />
      <Card>
        <p>{question}</p>
        <Form visitor={visitor} action={action}>
          {form.entries().map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <input type="hidden" name={CONFIRMED_FIELD} value="yes" />
          <FormButtons label={yes} kind={danger ? "danger" : "primary"} cancel={back} />
        </Form>
      </Card>
    </>,
  );
}

const TITLES: Record<number, string> = {
  401: "You are not signed in",
  403: "You may not see this",
  404: "There is no such page",
  405: "That cannot be done here",
  409: "That cannot be done now",
  413: "That is too large",
  503: "Not available right now",
};

/** What a person is told when something did not work. */
export function problemPage({ status, detail }: Problem, requestId: string): Shown {
  const title = TITLES[status] ?? (status >= 500 ? "Something went wrong" : "That did not work");
  return show(
    title,
    <>
      <PageHead title={title} lead={detail.endsWith(".") ? detail : `${detail}.`} />
      <p class="actions">
        {status === 401 ? (
          <ButtonLink href="/console/sign-in" kind="primary">
            Sign in
          </ButtonLink>
        ) : (
          <ButtonLink href="/console">Back to the console</ButtonLink>
        )}
      </p>
      {status >= 500 && (
        <p class="quiet">
          It may help to try again. Whoever runs this gateway finds more under the request id{" "}
          <code>{requestId}</code>.
        </p>
      )}
    </>,
    status,
  );
}
