import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { originProblem } from "../../src/endpoints/origin.ts";

const STRICT = { insecureHosts: [], ownHosts: ["gw.example.com"] };
const problem = (text: string) => originProblem(text, STRICT);

describe("an origin may be", () => {
  it.each([
    "https://api.example.com",
    "https://api.example.com/",
    "https://api.example.com:8443/v1",
    "https://api.example.com/a/b/c-d_e.f~g",
    "https://xn--bcher-kva.example",
    "https://8.8.8.8",
    "https://[2606:4700::1111]/x",
    "https://sub.gw.example.com",
    "https://100.128.0.1",
    "https://172.32.0.1",
    "https://192.169.0.1",
  ])("%s", (text) => {
    expect(problem(text)).toBeNull();
  });
});

describe("an origin may not be", () => {
  it.each([
    [
      "metadata services",
      [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254",
        "http://[fd00:ec2::254]/",
        "https://[fd00:ec2::254]/",
        "http://metadata.google.internal/",
        "https://metadata.google.internal/",
      ],
    ],
    [
      "loopback, however it is spelled",
      [
        "https://127.0.0.1",
        "https://2130706433",
        "https://0x7f.1",
        "https://0177.0.0.1",
        "https://127.1",
        "https://127.0.1",
        "https://0x7f000001",
        "https://017700000001",
        "https://127.255.255.254",
        "https://１２７.0.0.1",
        "https://127。0。0。1",
        "https://[::1]",
        "https://[0:0:0:0:0:0:0:1]",
        "https://[::ffff:7f00:1]",
        "https://[::ffff:127.0.0.1]",
        "https://[::127.0.0.1]",
        "https://localhost",
        "https://localhost.",
        "https://LOCALHOST",
        "https://ⓛocalhost",
        "https://a.localhost",
        "https://127.0.0.1.",
        "https://0.0.0.0",
        "https://0",
        "https://[::]",
      ],
    ],
    [
      "private and shared space",
      [
        "https://10.0.0.1",
        "https://10.255.255.255",
        "https://172.16.0.1",
        "https://172.31.255.255",
        "https://192.168.1.1",
        "https://100.64.0.1",
        "https://100.127.255.255",
        "https://169.254.0.1",
        "https://192.0.0.1",
        "https://198.18.0.1",
        "https://198.19.255.255",
        "https://167772161",
      ],
    ],
    [
      "IPv6 that is not public",
      [
        "https://[fc00::1]",
        "https://[fd12::1]",
        "https://[fe80::1]",
        "https://[fec0::1]",
        "https://[ff02::1]",
        "https://[100::1]",
        "https://[2001:db8::1]",
        "https://[2001::1]",
      ],
    ],
    [
      "IPv4 inside IPv6",
      [
        "https://[64:ff9b::a00:1]",
        "https://[64:ff9b:1::1]",
        "https://[2002:7f00:1::]",
        "https://[2002:a00:1::1]",
        "https://[::ffff:10.0.0.1]",
        "https://[::a00:1]",
      ],
    ],
    [
      "reserved, documentation, multicast and broadcast",
      [
        "https://192.0.2.1",
        "https://198.51.100.1",
        "https://203.0.113.1",
        "https://224.0.0.1",
        "https://240.0.0.1",
        "https://255.255.255.255",
        "https://192.88.99.1",
      ],
    ],
    [
      "names that are no public host's",
      [
        "https://intranet",
        "https://db",
        "https://printer.local",
        "https://api.internal",
        "https://x.localdomain",
        "https://x.home.arpa",
        "https://x.onion",
      ],
    ],
    [
      "other schemes",
      [
        "http://example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "gopher://example.com",
        "ws://example.com",
        "data:text/plain,x",
        "javascript:alert(1)",
      ],
    ],
    [
      "no URLs",
      [
        "",
        "example.com",
        "//example.com",
        "https://",
        "https://exa mple.com",
        "https://[::1",
        "https://256.256.256.256",
      ],
    ],
    [
      "user information",
      [
        "https://u:p@example.com",
        "https://u@example.com",
        "https://@example.com",
        "https://:@example.com",
        "https://example.com@127.0.0.1",
      ],
    ],
    [
      "a query or a fragment",
      [
        "https://example.com?x=1",
        "https://example.com/?",
        "https://example.com/#",
        "https://example.com/a#b",
      ],
    ],
    [
      "paths that resolve to something else",
      [
        "https://example.com/../x",
        "https://example.com/a/./b",
        "https://example.com/a/..",
        "https://example.com//x",
        "https://example.com/a//b",
        "https://example.com/%2e%2e/x",
        "https://example.com/a%2fb",
        "https://example.com\\x",
        "https:\\\\example.com",
        "https:/example.com//x",
      ],
    ],
    [
      "spaces and control characters",
      [
        " https://example.com",
        "https://example.com ",
        "https://example.com/a b",
        "https://exam\tple.com",
        "https://example.com/\n",
      ],
    ],
    [
      "the gateway itself",
      [
        "https://gw.example.com",
        "https://GW.example.com",
        "https://gw.example.com.",
        "https://gw.example.com:8443/x",
      ],
    ],
  ])("%s", (_, texts) => {
    for (const text of texts) expect([text, problem(text)]).toEqual([text, expect.any(String)]);
  });
});

describe("INSECURE_ORIGIN_HOSTS", () => {
  const local = (text: string) =>
    originProblem(text, { insecureHosts: ["127.0.0.1", "localhost"], ownHosts: [] });

  it("exempts just its hosts, from https and the address rules alone", () => {
    for (const text of ["http://127.0.0.1:8788/v1", "http://localhost:1", "https://127.0.0.1"]) {
      expect([text, local(text)]).toEqual([text, null]);
    }
    for (const text of [
      "http://127.0.0.2",
      "http://example.com",
      "http://a.localhost",
      "https://10.0.0.1",
      "http://u@127.0.0.1",
      "http://127.0.0.1/../x",
      "ftp://127.0.0.1",
    ]) {
      expect([text, local(text)]).toEqual([text, expect.any(String)]);
    }
  });
});

describe("no spelling of a private address gets through", () => {
  const privateAddress = fc.oneof(
    fc.tuple(fc.constantFrom(0, 10, 127), fc.nat(255), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(192), fc.constant(168), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(169), fc.constant(254), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.integer({ min: 224, max: 255 }), fc.nat(255), fc.nat(255), fc.nat(255)),
  );
  const number = fc.constantFrom(
    (n: number) => String(n),
    (n: number) => `0x${n.toString(16)}`,
    (n: number) => `0X${n.toString(16).toUpperCase()}`,
    (n: number) => `0${n.toString(8)}`,
  );

  it("in dotted, shortened, octal, hexadecimal, single-number and IPv6-embedded form", () => {
    fc.assert(
      fc.property(privateAddress, number, fc.nat(6), ([a, b, c, d], write, form) => {
        const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
        const host = [
          [a, b, c, d].map(write).join("."),
          write(((a << 24) | (b << 16) | (c << 8) | d) >>> 0),
          `${write(a)}.${write((b << 16) | (c << 8) | d)}`,
          `${write(a)}.${write(b)}.${write((c << 8) | d)}`,
          `[::ffff:${hex(a, b)}:${hex(c, d)}]`,
          `[64:ff9b::${hex(a, b)}:${hex(c, d)}]`,
          `[2002:${hex(a, b)}:${hex(c, d)}::1]`,
        ][form];
        expect([host, problem(`https://${host}/`)]).toEqual([host, expect.any(String)]);
      }),
      { numRuns: 500 },
    );
  });
});
