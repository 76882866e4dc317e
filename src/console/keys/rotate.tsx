import { KEY_MAKERS } from "../../api/route.ts";
import { modifiable, NOT_MODIFIABLE } from "../../keys/rules.ts";
import type { KeyView } from "../../keys/view.ts";
import { Problem } from "../api.ts";
import { ButtonLink, Card, NoticeBox, PageHead } from "../components.tsx";
import { Choice, FormButtons } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { page, type Shown, type Visit } from "../page.ts";
import { show } from "../replies.tsx";
import { readChoices } from "./choices.ts";
import { keyPath, LIST } from "./paths.ts";
import { keyApiPath, readKeyView } from "./read-key.ts";
import { type NewKey, reveal } from "./reveal.tsx";

const PATH = `${LIST}/{id}/rotate`;
const HOUR = 3600;

/** How long the old key may live on; seconds. */
const OVERLAPS = [
  { value: "0", label: "Not at all", hint: "If it has leaked: the old key stops at once." },
  { value: String(HOUR), label: "1 hour" },
  {
    value: String(24 * HOUR),
    label: "24 hours",
    hint: "Time to bring the new key to everything that uses the old one.",
  },
  { value: String(7 * 24 * HOUR), label: "7 days" },
  { value: String(30 * 24 * HOUR), label: "30 days" },
];
const USUAL_OVERLAP = String(24 * HOUR);

export const rotateKeyPage = page(KEY_MAKERS, {
  method: "GET",
  path: PATH,
  async handle(visit) {
    const key = await readKeyView(visit);
    return key instanceof Problem ? key : question(visit, key);
  },
});

export const confirmRotatePage = page(KEY_MAKERS, {
  method: "POST",
  path: PATH,
  async handle(visit) {
    const { api, form, origin } = visit;
    const [key, choices] = await Promise.all([readKeyView(visit), readChoices(api)]);
    if (key instanceof Problem) return key;
    if (choices instanceof Problem) return choices;
    const chosen = OVERLAPS.find(({ value }) => value === form.text("overlap"));
    if (chosen === undefined) return question(visit, key, "Choose how long the old key goes on working", 400);
    const made = await api.call<NewKey>("POST", `${keyApiPath(key.id)}/rotate`, {
      body: { overlap_seconds: Number(chosen.value) },
    });
    if (made instanceof Problem) return question(visit, key, `${made.detail}.`, made.status);
    const note =
      chosen.value === "0"
        ? `The old key, ${key.prefix}…, has stopped working.`
        : `The old key, ${key.prefix}…, goes on working for ${chosen.label}, or until it expires if that is sooner.`;
    return reveal(made, choices, origin, { title: "API key rotated", note });
  },
});

function question({ visitor }: Visit, key: KeyView, problem?: string, status = 200): Shown {
  return show(
    "Rotate API key",
    <>
      <PageHead
        title={`Rotate ${key.name}`}
        trail={[
          { label: "API keys", path: LIST },
          { label: key.name, path: keyPath(key.id) },
          { label: "Rotate" },
        ]}
        lead="Makes a new key with the same name, permissions, environment and expiry, and lets the old one run out."
      />
      {problem !== undefined && <NoticeBox kind="error">{problem}</NoticeBox>}
      {modifiable(key.status) ? (
        <Card>
          <Form visitor={visitor} action={keyPath(key.id, "rotate")}>
            <Choice
              legend={`How long does the old key, ${key.prefix}…, go on working?`}
              name="overlap"
              value={USUAL_OVERLAP}
              options={OVERLAPS}
            />
            <FormButtons label="Rotate key" cancel={keyPath(key.id)} />
          </Form>
        </Card>
      ) : (
        <>
          <NoticeBox kind="info" title={`This key is ${key.status}`}>
            {NOT_MODIFIABLE}. Create a new key instead.
          </NoticeBox>
          <ButtonLink href={LIST}>All API keys</ButtonLink>
        </>
      )}
    </>,
    status,
  );
}
