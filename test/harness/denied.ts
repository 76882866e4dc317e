import { expect } from "vitest";
import type { Answer } from "./http.ts";
import type { Origin } from "./origin.ts";

/** The `error.type` that goes with a status (what the OpenAI and Anthropic clients read). */
const TYPES: Record<number, string> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  429: "rate_limit_error",
};

/** Asserts that an answer is the denial `code`, in the one shape of spec 2.8. */
export function expectDenial(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status, code });
  const { title, detail } = answer.json;
  const requestId = answer.headers["x-request-id"];
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  const { errors, ...problem } = answer.json;
  expect(problem).toEqual({
    type: "about:blank",
    title: expect.any(String),
    status,
    detail: expect.any(String),
    error: {
      code,
      message: detail,
      type: TYPES[status] ?? (status >= 500 ? "api_error" : "invalid_request_error"),
      request_id: requestId,
    },
  });
  expect(title).not.toBe("");
  expect(detail).not.toBe("");
  if (errors === undefined) {
    expect(answer.headers["content-type"]).toBe("application/problem+json");
  } else {
    expect(errors).toEqual([{ message: detail, extensions: { code } }]);
    expect(answer.headers["content-type"]).toMatch(/^application\/(graphql-response\+)?json$/);
  }
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  const retries = status >= 500 || status === 429;
  expect(answer.headers["x-should-retry"]).toBe(retries ? undefined : "false");
}

/** Asserts the denial `code`, and that the origin saw nothing of the request. */
export function expectRefused(answer: Answer, status: number, code: string, origin: Origin): void {
  expectDenial(answer, status, code);
  expect(origin.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([]);
  expect(origin.broken).toEqual([]);
}

function codeOf(answer: Answer): unknown {
  try {
    return answer.json.error.code;
  } catch {
    return answer.text.slice(0, 200);
  }
}
