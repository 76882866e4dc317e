import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { BadRequest, readJson, sendJson } from "./server.ts";

const MODELS = ["demo-small", "demo-large"];

/** Between two pieces of a streamed answer, so that streaming can be seen. */
const PAUSE_MS = 40;

interface ChatRequest {
  model: string;
  messages: { role: string; content: unknown }[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
}

/**
 * The part of OpenAI's API that chat clients use: `models`, `models/{model}` and `chat/completions`.
 * @param path what follows `/v1/`
 * @returns whether the path was one of these
 */
export async function chat(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const route = `${request.method} ${path}`;
  if (route === "GET models") {
    sendJson(response, 200, { object: "list", data: MODELS.map(describe) });
  } else if (request.method === "GET" && path.startsWith("models/")) {
    const id = decodeURIComponent(path.slice("models/".length));
    if (MODELS.includes(id)) sendJson(response, 200, describe(id));
    else sendJson(response, 404, { error: { message: `No model ${id}`, type: "invalid_request_error" } });
  } else if (route === "POST chat/completions") {
    await complete(parse(await readJson(request)), response);
  } else {
    return false;
  }
  return true;
}

function describe(id: string) {
  return { id, object: "model", created: 1_700_000_000, owned_by: "postern-demo" };
}

function parse(body: unknown): ChatRequest {
  const { model, messages } = (body ?? {}) as Partial<ChatRequest>;
  if (typeof model !== "string") throw new BadRequest("model is required");
  if (!Array.isArray(messages) || messages.length === 0) throw new BadRequest("messages is required");
  return body as ChatRequest;
}

async function complete(request: ChatRequest, response: ServerResponse): Promise<void> {
  const said = request.messages.at(-1)?.content;
  const answer = `You said: ${typeof said === "string" ? said : JSON.stringify(said)}`;
  const pieces = answer.match(/\S+\s*/g) ?? [];
  const usage = { prompt_tokens: request.messages.length, completion_tokens: pieces.length };
  const common = {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
  };
  const total = { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };

  if (!request.stream) {
    const message = { role: "assistant", content: answer };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    sendJson(response, 200, { ...common, object: "chat.completion", choices, usage: total });
    return;
  }

  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const send = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\n\n`);
  const chunk = (delta: object, finish_reason: string | null) =>
    send({
      ...common,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason }],
    });
  chunk({ role: "assistant", content: "" }, null);
  for (const content of pieces) {
    await wait(PAUSE_MS);
    if (response.destroyed) return;
    chunk({ content }, null);
  }
  chunk({}, "stop");
  if (request.stream_options?.include_usage) {
    send({ ...common, object: "chat.completion.chunk", choices: [], usage: total });
  }
  response.end("data: [DONE]\n\n");
}
