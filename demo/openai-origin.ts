import { chat } from "./chat.ts";
import { createJobQueue } from "./jobs.ts";
import { listen, type Origin, pathOf, sendJson } from "./server.ts";

/**
 * The demo's inference origin. It serves
 * - `/v1/…`: an OpenAI-compatible API
 * - `/jobs/…`: a serverless job queue, which speaks OpenAI's API under `openai/v1/` too
 * and the same again under `/test`, for keys of the test environment.
 */
export function start(port: number): Promise<Origin> {
  const queues = { production: createJobQueue(), test: createJobQueue() };
  return listen(port, async (request, response) => {
    const path = pathOf(request);
    const [, test, area, rest] = /^\/(test\/)?(v1|jobs\/openai\/v1|jobs)\/(.+)$/.exec(path) ?? [];
    const queue = test ? queues.test : queues.production;
    const found =
      rest !== undefined &&
      (area === "jobs" ? await queue(rest, request, response) : await chat(rest, request, response));
    if (!found)
      sendJson(response, 404, {
        error: { message: `The demo origin has nothing at ${path}`, type: "invalid_request_error" },
      });
  });
}
