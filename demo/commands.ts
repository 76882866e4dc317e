import type { DemoKeyName } from "./seed.ts";

const CHAT = JSON.stringify({ model: "demo-small", messages: [{ role: "user", content: "Good morning" }] });

/** curl commands that show the gateway at work, each under a line that says what to expect. */
export function demoCommands(url: string, keys: Record<DemoKeyName, string>): string {
  const pods = JSON.stringify({ query: "{ pods { id name status } }" });
  const stop = JSON.stringify({ query: 'mutation { podStop(id: "pod-1") { id status } }' });
  return [
    "200: a full-access key asks for a chat completion",
    curl(`${url}/v2/chat/chat/completions`, CHAT, keys["Full access"]),
    "403: a read-only key asks for the same",
    curl(`${url}/v2/chat/chat/completions`, CHAT, keys["Read only"]),
    "401: a forged key, refused before any look-up",
    curl(`${url}/v2/chat/chat/completions`, CHAT, forged(keys["Full access"])),
    "401: no key at all",
    curl(`${url}/v2/chat/chat/completions`, CHAT),
    "200: a read-only key sends a GraphQL query",
    curl(`${url}/graphql`, pods, keys["Read only"]),
    "403: a read-only key sends a GraphQL mutation",
    curl(`${url}/graphql`, stop, keys["Read only"]),
    "200: a full-access key sends that mutation",
    curl(`${url}/graphql`, stop, keys["Full access"]),
  ].join("\n");
}

function curl(url: string, body: string, key?: string): string {
  const credential = key === undefined ? "" : ` -H 'authorization: Bearer ${key}'`;
  return `  curl -i ${url}${credential} -H 'content-type: application/json' -d '${body}'\n`;
}

/** The key with its last character, a part of its tag, changed. */
function forged(key: string): string {
  return key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
}
