import { KEY_MAKERS } from "../../api/route.ts";
import { modifiable } from "../../keys/rules.ts";
import type { KeyView } from "../../keys/view.ts";
import { Badge } from "../components.tsx";
import { Toggle } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { mayVisit } from "../navigation.ts";
import type { Visitor } from "../visitor.ts";
import { keyPath } from "./paths.ts";
import { toggleQuestion } from "./toggle.ts";
import { STATUS_LABELS, STATUS_TONES } from "./words.ts";

/** A key's state: with the switch for those who may use it, where there is something to switch. */
export function KeyStatus({ visitor, keyView, from }: { visitor: Visitor; keyView: KeyView; from: string }) {
  const { id, name, status, enabled } = keyView;
  if (!modifiable(status) || !mayVisit(KEY_MAKERS, visitor)) {
    return <Badge tone={STATUS_TONES[status]}>{STATUS_LABELS[status]}</Badge>;
  }
  return (
    <Form
      visitor={visitor}
      action={keyPath(id, "toggle")}
      confirm={toggleQuestion(name, !enabled)}
      yes="Yes"
      class="inline"
    >
      <input type="hidden" name="from" value={from} />
      <Toggle on={enabled} label={`API key ${name}`} />
    </Form>
  );
}
