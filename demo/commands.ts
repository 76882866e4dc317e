import { DEMO_ACCOUNT, DEMO_CHAT_ENDPOINT, DEMO_KEYS, type DemoKeyName, type SeededKey } from "./seed.ts";

const CHAT = JSON.stringify({ model: "demo-small", messages: [{ role: "user", content: "Good morning" }] });

type SeededKeys = Record<DemoKeyName, SeededKey>;

/** The first of the keys that are about a key's kind or state rather than its scopes. */
const FIRST_OF_OTHERS: DemoKeyName = "Test environment";

/** Keys that commands in the documentation present. */
const DOCUMENTED_KEYS: readonly DemoKeyName[] = ["Full access", "Read only", "Inference", "Restricted"];

/** The shell variable of a demo key in the documentation. */
const variableOf = (name: DemoKeyName) => `${name.toUpperCase().replaceAll(" ", "_")}_KEY`;

/**
 * What to try the gateway with: the demo's keys, curl commands, and where an OpenAI client finds it.
 * @param stateDir what to remove to begin anew
 */
export function demoText(url: string, keys: SeededKeys, stateDir: string, host?: string): string {
  const someChanged = Object.values(keys).some(({ changed }) => changed !== undefined);
  return [
    `Keys of the account "${DEMO_ACCOUNT}", each allowing what its scopes say:`,
    ...describeKeys(keys),
    ...(someChanged ? ["", `To have all keys as they were made: stop this, then rm -rf ${stateDir}`] : []),
    "",
    "For the commands of README.md and docs/, in the shell where you run them:",
    ...DOCUMENTED_KEYS.flatMap((name) => {
      const { key, changed } = keys[name];
      return [...(changed ? [`  # now ${changed}:`] : []), `  export ${variableOf(name)}=${key}`];
    }),
    demoCommands(url, keys, host),
    "For an OpenAI client:",
    `  baseURL  ${url}/v2/${DEMO_CHAT_ENDPOINT}`,
    `  apiKey   any key above that may infer${keys["Full access"].changed ? "" : ', such as "Full access"'}`,
    ...(host === undefined ? [] : [`  and the header host: ${host}`]),
  ].join("\n");
}

/** Each key, alone at the end of its line, above what it shows. */
function describeKeys(keys: SeededKeys): string[] {
  return (Object.keys(DEMO_KEYS) as DemoKeyName[]).flatMap((name) => {
    const { key, expires_at, changed } = keys[name];
    const until = expires_at === undefined ? "" : ` on ${expires_at}`;
    const now = changed === undefined ? "" : `now ${changed}; as it was made: `;
    return [
      ...(name === FIRST_OF_OTHERS ? ["", "Keys of another kind or in another state:"] : []),
      `  ${name.padEnd(18)}${key}`,
      `    ${now}${DEMO_KEYS[name].shows}${until}`,
    ];
  });
}

/** curl commands that show the gateway at work, each under a line that says what to expect. */
function demoCommands(url: string, keys: SeededKeys, host?: string): string {
  const chat = `${url}/v2/${DEMO_CHAT_ENDPOINT}/chat/completions`;
  const graphql = `${url}/graphql`;
  const pods = JSON.stringify({ query: "{ pods { id name status } }" });
  const stop = JSON.stringify({ query: 'mutation { podStop(id: "pod-1") { id status } }' });
  const [full, readOnly] = [keys["Full access"], keys["Read only"]];
  const curl = (to: string, body: string, key?: string) => {
    const headers = [
      ...(host === undefined ? [] : [`host: ${host}`]),
      ...(key === undefined ? [] : [`authorization: Bearer ${key}`]),
      "content-type: application/json",
    ];
    return `  curl -i ${to}${headers.map((header) => ` -H '${header}'`).join("")} -d '${body}'\n`;
  };
  return [
    "",
    expecting(200, full, "a full-access key asks for a chat completion"),
    curl(chat, CHAT, full.key),
    expecting(403, readOnly, "a read-only key asks for the same"),
    curl(chat, CHAT, readOnly.key),
    "401: a forged key, refused before any look-up",
    curl(chat, CHAT, forged(full.key)),
    "401: no key at all",
    curl(chat, CHAT),
    expecting(200, readOnly, "a read-only key sends a GraphQL query"),
    curl(graphql, pods, readOnly.key),
    expecting(403, readOnly, "a read-only key sends a GraphQL mutation"),
    curl(graphql, stop, readOnly.key),
    expecting(200, full, "a full-access key sends that mutation"),
    curl(graphql, stop, full.key),
  ].join("\n");
}

/** What a command answers, and why; a key that is no longer as it was made answers otherwise. */
function expecting(status: number, { changed }: SeededKey, what: string): string {
  if (changed === undefined) return `${status}: ${what}`;
  return changed === "edited" ? `As its scopes now say: ${what}` : `401: ${what}, but is ${changed}`;
}

/** The key with its last character, a part of its tag, changed. */
function forged(key: string): string {
  return key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
}
