import http from "node:http";

/** Calls a gateway's admin API, the way any client would. */
export interface AdminClient {
  /** Answers the JSON that came. @throws Error with status and detail unless the answer is 2xx. */
  get(path: string): Promise<unknown>;
  /** Sends `body` as JSON. @throws Error with status and detail unless the answer is 2xx. */
  put(path: string, body: unknown): Promise<void>;
  /** Sends a line of JSON per record; answers the JSON of each line that came back. */
  postLines(path: string, records: unknown[]): Promise<unknown[]>;
  /** `x-request-id` of every answer so far. */
  requestIds: string[];
}

/**
 * @param host value of the `Host` header; `fetch` cannot set it, and a gateway with HOSTNAMES answers no other
 * @param token a session token with the admin role
 */
export function createAdminClient(gatewayUrl: string, host: string, token: string): AdminClient {
  const requestIds: string[] = [];
  async function send(method: string, path: string, type: string, text: string): Promise<string> {
    const { status, requestId, body } = await exchange(`${gatewayUrl}${path}`, method, text, {
      host,
      authorization: `Bearer ${token}`,
      "content-type": type,
    });
    requestIds.push(requestId);
    if (status < 200 || status > 299)
      throw new Error(`${method} ${path} answered ${status}: ${body.slice(0, 500)}`);
    return body;
  }
  return {
    requestIds,
    get: async (path) => JSON.parse(await send("GET", path, "application/json", "")),
    put: async (path, body) => {
      await send("PUT", path, "application/json", JSON.stringify(body));
    },
    postLines: async (path, records) => {
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
      const answer = await send("POST", path, "application/x-ndjson", lines);
      return answer.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
    },
  };
}

function exchange(url: string, method: string, text: string, headers: http.OutgoingHttpHeaders) {
  return new Promise<{ status: number; requestId: string; body: string }>((done, failed) => {
    const request = http.request(url, { method, headers, agent: false }, async (response) => {
      try {
        let body = "";
        for await (const chunk of response.setEncoding("utf8")) body += chunk;
        done({
          status: response.statusCode ?? 0,
          requestId: String(response.headers["x-request-id"]),
          body,
        });
      } catch (error) {
        failed(error);
      }
    });
    request.on("error", failed);
    request.end(text);
  });
}
