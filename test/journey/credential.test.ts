import { describe, expect, it } from "vitest";
import { type RequestUrl, readUrl } from "../../src/http/url.ts";
import { holdsKey, readCredential, withoutKey } from "../../src/journey/credential.ts";

const read = (headers: Record<string, string>, query = "") => readCredential(new Headers(headers), query);
const KEY = "pst_live_aKEYKEYKEYKEY";

describe("one credential is read (spec 2.1)", () => {
  it.each([
    [{ "x-api-key": KEY }, ""],
    [{ authorization: `Bearer ${KEY}` }, ""],
    [{ authorization: `bEaReR   ${KEY}` }, ""],
    [{ authorization: KEY }, ""],
    [{}, `api_key=${KEY}`],
    [{}, `a=b&api%5fkey=%70${KEY.slice(1)}`],
  ])("%j %s", (headers, query) => {
    expect(read(headers, query)).toEqual({ key: KEY, source: query === "" ? "header" : "query" });
  });
});

describe("missing", () => {
  it.each([
    [{}, ""],
    [{ authorization: "Bearer" }, ""],
    [{ authorization: "Bearer " }, ""],
    [{}, "api_key="],
    [{}, "API_KEY=x"],
    [{}, "xapi_key=x"],
    [{}, "a=api_key"],
  ])("%j %s", (headers, query) => {
    expect(read(headers, query)).toEqual({ code: "invalid_api_key", reason: "missing" });
  });
});

describe("refused", () => {
  it.each([
    [{ "x-api-key": "a", authorization: "b" }, ""],
    [{ "x-api-key": "a" }, "api_key=b"],
    [{ authorization: "a" }, "api_key="],
    [{}, "api_key=a&api_key=b"],
    [{ "x-api-key": "a, b" }, ""],
    [{ "x-api-key": "a,b" }, ""],
    [{ authorization: "Bearer a, Bearer b" }, ""],
    [{ authorization: "Basic YTpi" }, ""],
    [{ "x-api-key": "a b" }, ""],
    [{ "x-api-key": "k\u00e9y" }, ""],
    [{}, "api_key=a%20b"],
    [{}, "api_key=a+b"],
    [{}, "api_key=%ff"],
    [{}, "api_key=a%00"],
  ])("%j %s is 400", (headers, query) => {
    expect(read(headers, query)).toMatchObject({ code: "invalid_request" });
  });

  it.each(["Basic YTpi", `Token ${KEY}`, "Digest username=a, realm=b"])(
    "%s says how a key is presented, and repeats nothing",
    (authorization) => {
      const refused = read({ authorization });
      expect(refused).toMatchObject({ detail: expect.stringContaining("`Authorization: Bearer KEY`") });
      expect(JSON.stringify(refused)).not.toContain(authorization.split(" ")[1]);
    },
  );

  it("a header sent twice is no other scheme", () => {
    for (const authorization of [`${KEY}, ${KEY}`, `Bearer ${KEY}, Bearer ${KEY}`]) {
      expect(read({ authorization })).toMatchObject({ detail: expect.stringContaining("presented once") });
    }
  });

  it("longer than 512 characters is 401", () => {
    expect(read({ "x-api-key": "k".repeat(512) })).toMatchObject({ key: "k".repeat(512) });
    expect(read({ "x-api-key": "k".repeat(513) })).toEqual({ code: "invalid_api_key", reason: "malformed" });
  });
});

it("a query is forwarded without its key, the rest as it was", () => {
  expect(withoutKey(`a=%41&api_key=${KEY}&&b=+`)).toBe("a=%41&&b=+");
  expect(withoutKey("api_key=x")).toBe("");
});

it("a URL that would carry the key on is told, also where it is percent-encoded", () => {
  const url = (target: string) => readUrl(`http://gw.test${target}`, "gw.test", []) as RequestUrl;
  const encoded = [...KEY].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");
  const header = { key: KEY, source: "header" } as const;
  const query = { key: KEY, source: "query" } as const;
  for (const target of [`/a/${KEY}`, `/a?x=${KEY}`, `/a?${KEY}=x`, `/x${encoded}`, `/a?b=%zz${encoded}`]) {
    expect([target, holdsKey(url(target), header)]).toEqual([target, true]);
  }
  expect(holdsKey(url(`/a?api_key=${KEY}`), query)).toBe(false);
  expect(holdsKey(url(`/a?api_key=${KEY}&b=${KEY}`), query)).toBe(true);
  expect(holdsKey(url("/a/b?c=d%41"), header)).toBe(false);
  // A legacy key of few characters may stand in a URL by chance.
  expect(holdsKey(url("/a/short"), { key: "short", source: "header" })).toBe(false);
});
