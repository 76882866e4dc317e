import type { Child } from "../../html/jsx-runtime.ts";
import { sha256Hex } from "../../keys/hash.ts";
import { type ListOf, Problem } from "../api.ts";
import { Card, NoticeBox, PageHead } from "../components.tsx";
import { Field, FormButtons } from "../form-controls.tsx";
import { Form } from "../layout.tsx";
import { page, type Visit } from "../page.ts";
import { show } from "../replies.tsx";
import { KeyCard, ownerOf } from "./key-card.tsx";
import { FIND_KEY, KEYS, keyPath, trail } from "./paths.ts";
import type { AdminKeyView } from "./records.ts";

function findForm({ visitor }: Visit, answer: Child = null, status = 200) {
  return show(
    "Find a leaked key's owner",
    <>
      <PageHead
        title="Find a leaked key's owner"
        trail={trail({ label: "All keys", path: KEYS }, { label: "Find" })}
        lead="Whose is the key that turned up in a repository or a log? It is looked up by its hash, and neither kept nor logged."
      />
      {answer}
      <Card>
        <Form visitor={visitor} action={FIND_KEY}>
          <Field
            name="secret"
            label="The whole key, or its SHA-256"
            hint="64 hexadecimal digits for a SHA-256. With the hash alone, the key need not pass through anybody's clipboard again."
          >
            <input
              id="secret"
              name="secret"
              required
              maxlength={512}
              class="mono"
              autocomplete="off"
              aria-describedby="secret-hint"
            />
          </Field>
          <FormButtons label="Find owner" />
        </Form>
      </Card>
    </>,
    status,
  );
}

const findPage = page("admin", { method: "GET", path: FIND_KEY, handle: (visit) => findForm(visit) });

const foundPage = page("admin", {
  method: "POST",
  path: FIND_KEY,
  async handle(visit) {
    const { api, form, visitor } = visit;
    const secret = form.text("secret");
    if (secret === "") {
      return findForm(visit, <NoticeBox kind="error">Paste the key, or its SHA-256.</NoticeBox>, 400);
    }
    // The API is asked by the hash: so not even the call in here has a key in its URL.
    const q = /^[0-9a-f]{64}$/i.test(secret) ? secret : sha256Hex(secret);
    const found = await api.get<ListOf<AdminKeyView>>("/admin/keys", { q, limit: 1 });
    if (found instanceof Problem) return found;
    const [entry] = found.data;
    if (entry === undefined) {
      return findForm(
        visit,
        <NoticeBox kind="info" title="Nobody here has that key">
          It is not a key of this gateway, or not the whole of one. A key of another gateway opens nothing
          here.
        </NoticeBox>,
      );
    }
    const account = await ownerOf(visit, entry);
    const works = entry.status === "active" && account?.suspended !== true;
    return findForm(
      visit,
      <>
        <NoticeBox
          kind={works ? "warning" : "success"}
          title={`It belongs to ${account?.name ?? entry.account_id}`}
        >
          {works
            ? "It works right now. Whoever has it can use it until it is revoked."
            : `It does not work: ${account?.suspended ? "the account is suspended" : `it is ${entry.status}`}.`}
        </NoticeBox>
        <KeyCard visitor={visitor} entry={entry} account={account} back={keyPath(entry.id)} />
      </>,
    );
  },
});

export const findKeyPages = [findPage, foundPage];
