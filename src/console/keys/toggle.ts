import { KEY_MAKERS } from "../../api/route.ts";
import type { KeyView } from "../../keys/view.ts";
import { Problem } from "../api.ts";
import type { Fields } from "../forms.ts";
import { page } from "../page.ts";
import { confirmation, done, goTo, isConfirmed } from "../replies.tsx";
import { backTo, LIST } from "./paths.ts";
import { keyApiPath, readKeyView } from "./read-key.ts";

/** What switching a key asks first. */
export const toggleQuestion = (name: string, on: boolean) =>
  on
    ? `Enable ${name}? It works again at once.`
    : `Disable ${name}? Whatever uses it is refused until it is enabled again.`;

/** What a posted switch is to be; null where the form does not say. */
export function switchedTo(form: Fields): boolean | null {
  const text = form.text("enabled");
  return text === "on" || text === "off" ? text === "on" : null;
}

export const NO_SWITCH = new Problem(400, "invalid_request", "The form does not say whether on or off");

/** Switches a key on or off. */
export const toggleKeyPage = page(KEY_MAKERS, {
  method: "POST",
  path: `${LIST}/{id}/toggle`,
  async handle(visit) {
    const { api, form, params } = visit;
    const enabled = switchedTo(form);
    if (enabled === null) return NO_SWITCH;
    const back = backTo(form.text("from"));
    if (!isConfirmed(visit)) {
      const key = await readKeyView(visit);
      if (key instanceof Problem) return key;
      return confirmation(visit, {
        title: enabled ? "Enable API key" : "Disable API key",
        question: toggleQuestion(key.name, enabled),
        back,
      });
    }
    const key = await api.call<KeyView>("PATCH", keyApiPath(params.id!), { body: { enabled } });
    if (key instanceof Problem) {
      return key.status === 409 ? goTo(back, { kind: "error", text: `${key.detail}.` }) : key;
    }
    return done(back, enabled ? `${key.name} is enabled. It works again.` : `${key.name} is disabled.`);
  },
});
