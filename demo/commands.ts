import { DEMO_ACCOUNT, DEMO_CHAT_ENDPOINT, DEMO_KEYS, type DemoKeyName, type SeededKey } from "./seed.ts";

const CHAT = JSON.stringify({ model: "demo-small", messages: [{ role: "user", content: "Good morning" }] });

type SeededKeys = Record<DemoKeyName, SeededKey>;

/** The first of the keys that are about a key's kind or state rather than its scopes. */
const FIRST_OF_OTHERS: DemoKeyName = "Test environment";

/** Keys that commands in the documentation present. */
const DOCUMENTED_KEYS: readonly DemoKeyName[] = ["Full access", "Read only", "Inference", "Restricted"];

/** The shell variable of a demo key in the documentation. */
const variableOf = (name: DemoKeyName) => `${name.toUpperCase().replaceAll(" ", "_")}_KEY`;

/** What to try the gateway with: the demo's keys, curl commands, and where an OpenAI client finds it. */
export function demoText(url: string, keys: SeededKeys, host?: string): string {
  return [
    `Keys of the account "${DEMO_ACCOUNT}", each allowing what its scopes say:`,
    ...describeKeys(keys),
    "",
    "For the commands of README.md and docs/, in the shell where you run them:",
    ...DOCUMENTED_KEYS.map((name) => `  export ${variableOf(name)}=${keys[name].key}`),
    demoCommands(url, keys, host),
    "For an OpenAI client:",
    `  baseURL  ${url}/v2/${DEMO_CHAT_ENDPOINT}`,
    `  apiKey   any key above that may infer, such as "Full access"`,
    ...(host === undefined ? [] : [`  and the header host: ${host}`]),
  ].join("\n");
}

/** Each key, alone at the end of its line, above what it shows. */
function describeKeys(keys: SeededKeys): string[] {
  return (Object.keys(DEMO_KEYS) as DemoKeyName[]).flatMap((name) => {
    const { key, expires_at } = keys[name];
    const until = expires_at === undefined ? "" : ` on ${expires_at}`;
    return [
      ...(name === FIRST_OF_OTHERS ? ["", "Keys of another kind or in another state:"] : []),
      `  ${name.padEnd(18)}${key}`,
      `    ${DEMO_KEYS[name].shows}${until}`,
    ];
  });
}

/** curl commands that show the gateway at work, each under a line that says what to expect. */
function demoCommands(url: string, keys: SeededKeys, host?: string): string {
  const chat = `${url}/v2/${DEMO_CHAT_ENDPOINT}/chat/completions`;
  const graphql = `${url}/graphql`;
  const pods = JSON.stringify({ query: "{ pods { id name status } }" });
  const stop = JSON.stringify({ query: 'mutation { podStop(id: "pod-1") { id status } }' });
  const [full, readOnly] = [keys["Full access"].key, keys["Read only"].key];
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
    "200: a full-access key asks for a chat completion",
    curl(chat, CHAT, full),
    "403: a read-only key asks for the same",
    curl(chat, CHAT, readOnly),
    "401: a forged key, refused before any look-up",
    curl(chat, CHAT, forged(full)),
    "401: no key at all",
    curl(chat, CHAT),
    "200: a read-only key sends a GraphQL query",
    curl(graphql, pods, readOnly),
    "403: a read-only key sends a GraphQL mutation",
    curl(graphql, stop, readOnly),
    "200: a full-access key sends that mutation",
    curl(graphql, stop, full),
  ].join("\n");
}

/** The key with its last character, a part of its tag, changed. */
function forged(key: string): string {
  return key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
}
