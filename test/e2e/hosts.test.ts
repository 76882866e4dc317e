import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDenial, expectRefused } from "../harness/denied.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { HOSTNAMES: "gw.test, API.gw.test" } });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const send = (lines: string[], path = "/v2/web/x") =>
  world.gateway.raw([`GET ${path} HTTP/1.1`, `x-api-key: ${world.ALL.key}`, ...lines]);

describe("with HOSTNAMES set (spec 2.3)", () => {
  it.each(["gw.test", "GW.test", "gw.test:8443", "api.gw.test", "Api.Gw.Test:80"])(
    "%s is served",
    async (host) => {
      expect((await send([`Host: ${host}`])).status).toBe(200);
      expect(world.origin.only.header("x-forwarded-host")).toBe(host);
      expect(world.origin.only.header("host")).toBe(new URL(world.origin.url).host);
    },
  );

  it.each([
    "evil.test",
    "gw.test.evil.test",
    "evilgw.test",
    "127.0.0.1",
    "[::1]",
    "localhost",
    "test",
    "api.gw.test2",
  ])("%s is 421", async (host) => {
    expectRefused(await send([`Host: ${host}`]), 421, "unknown_host", world.origin);
  });

  it("a trailing dot makes another name: 421", async () => {
    expectRefused(await send(["Host: gw.test."]), 421, "unknown_host", world.origin);
  });

  it.each([
    ["a path in it", ["Host: gw.test/v2/web/health?"]],
    ["a query in it", ["Host: gw.test?x="]],
    ["a fragment in it", ["Host: gw.test#"]],
    ["user information", ["Host: u:p@gw.test"]],
    ["a user that looks like the host", ["Host: gw.test@evil.test"]],
    ["a backslash", ["Host: gw.test\\v2"]],
    ["a space", ["Host: gw.test x"]],
    ["a list", ["Host: gw.test, evil.test"]],
    ["an empty port", ["Host: gw.test:"]],
    ["a port that is no number", ["Host: gw.test:x"]],
    ["a port that there is not", ["Host: gw.test:99999"]],
    ["an address that is none", ["Host: 127.999.0.1"]],
    ["a percent-encoding", ["Host: gw%2etest"]],
    ["nothing in it", ["Host:"]],
    ["a second one", ["Host: gw.test", "Host: evil.test"]],
    ["a second one the same", ["Host: gw.test", "Host: gw.test"]],
  ])("a Host with %s is refused, here or by the runtime", async (_, lines) => {
    const answer = await send(lines);
    expect([400, 421]).toContain(answer.status);
    expect(world.origin.requests).toEqual([]);
  });

  it("a Host with a path cannot move a request to another operation", async () => {
    const answer = await world.gateway.raw(
      [
        "POST /run HTTP/1.1",
        "Host: gw.test/v2/epA/health?",
        `x-api-key: ${world.RO.key}`,
        "Content-Length: 0",
      ],
      "",
    );
    expect([400, 421]).toContain(answer.status);
    expect(world.origin.requests).toEqual([]);
  });

  it("an unknown host sees none of the gateway's own routes, and no preflight", async () => {
    for (const path of [
      "/healthz",
      "/v1/key",
      "/v1/account/api-keys",
      "/admin/accounts",
      "/.well-known/jwks.json",
    ]) {
      expectDenial(await send(["Host: evil.test"], path), 421, "unknown_host");
    }
    const preflight = await world.gateway.raw(["OPTIONS /v2/web/x HTTP/1.1", "Host: evil.test"]);
    expect(preflight.status).toBe(421);
  });
});
