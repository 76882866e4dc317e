import { KEY_MAKERS } from "../../api/route.ts";
import type { KeyView } from "../../keys/view.ts";
import { type Api, Problem } from "../api.ts";
import { page } from "../page.ts";
import { confirmation, done, goTo, isConfirmed } from "../replies.tsx";
import { backTo, LIST } from "./paths.ts";
import { keyApiPath } from "./read-key.ts";
import { count } from "./words.ts";

export const DISABLE_MANY = `${LIST}/disable`;

/** Keys on a page of the list, and so the most that one form disables. */
export const PAGE_SIZE = 25;

/** Disables the keys that were ticked in the list. */
export const disableManyPage = page(KEY_MAKERS, {
  method: "POST",
  path: DISABLE_MANY,
  async handle(visit) {
    const { api, form } = visit;
    const back = backTo(form.text("from"));
    const ids = [...new Set(form.all("id"))].slice(0, PAGE_SIZE);
    if (ids.length === 0) return goTo(back, { kind: "warning", text: "Tick the keys to disable first." });
    if (!isConfirmed(visit)) {
      const keys = await Promise.all(ids.map((id) => api.get<KeyView>(keyApiPath(id))));
      const found = keys.filter((key) => !(key instanceof Problem));
      return confirmation(visit, {
        title: `Disable ${count(found.length, "key")}?`,
        question: (
          <>
            Whatever uses them is refused until they are enabled again:{" "}
            <strong>{found.map(({ name }) => name).join(", ")}</strong>
          </>
        ),
        yes: `Disable ${count(found.length, "key")}`,
        danger: true,
        back,
      });
    }
    const results = await Promise.all(ids.map((id) => disable(api, id)));
    const failed = results.filter((result) => result instanceof Problem);
    const disabled = results.length - failed.length;
    const summary = `${count(disabled, "key")} ${disabled === 1 ? "is" : "are"} disabled.`;
    if (failed.length === 0) return done(back, summary);
    const why = [...new Set(failed.map(({ detail }) => detail))].join("; ");
    return goTo(back, { kind: "warning", text: `${summary} ${failed.length} could not be: ${why}.` });
  },
});

const disable = (api: Api, id: string) =>
  api.call<KeyView>("PATCH", keyApiPath(id), { body: { enabled: false } });
