import http from "node:http";

/** Calls a gateway's admin API, the way any client would. */
export interface AdminClient {
  /** Sends `body` as JSON. @throws Error with status and detail unless the answer is 2xx. */
  put(path: string, body: unknown): Promise<void>;
  /** Sends a line of JSON per record; answers the JSON of each line that came back. */
  postLines(path: string, records: unknown[]): Promise<unknown[]>;
}

/**
 * @param host value of the `Host` header; `fetch` cannot set it, and a gateway with HOSTNAMES answers no other
 * @param token a session token with the admin role
 */
export function createAdminClient(gatewayUrl: string, host: string, token: string): AdminClient {
  async function send(method: string, path: string, type: string, text: string): Promise<string> {
    const { status, body } = await exchange(`${gatewayUrl}${path}`, method, text, {
      host,
      authorization: `Bearer ${token}`,
      "content-type": type,
    });
    if (status < 200 || status > 299)
      throw new Error(`${method} ${path} answered ${status}: ${body.slice(0, 500)}`);
    return body;
  }
  return {
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
  return new Promise<{ status: number; body: string }>((done, failed) => {
    const request = http.request(url, { method, headers, agent: false }, async (response) => {
      try {
        let body = "";
        for await (const chunk of response.setEncoding("utf8")) body += chunk;
        done({ status: response.statusCode ?? 0, body });
      } catch (error) {
        failed(error);
      }
    });
    request.on("error", failed);
    request.end(text);
  });
}
