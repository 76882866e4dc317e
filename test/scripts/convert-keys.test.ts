import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FORMATS } from "../../scripts/convert/formats.ts";

const KEY = "an-old-key-nobody-uses";
const sum = (encoding: "hex" | "base64" | "base64url") => createHash("sha256").update(KEY).digest(encoding);
const SCRIPT = join(import.meta.dirname, "../../scripts/convert-keys.ts");
const NOW = Date.parse("2026-11-21T12:00:00Z");

it.each([
  ["keys", { key: KEY, name: "Laptop" }, { key: KEY, name: "Laptop" }],
  ["sha256", { sha256: sum("hex").toUpperCase() }, { sha256: sum("hex"), name: "Imported key" }],
  [
    "unkey",
    {
      id: "key_1",
      hash: sum("base64"),
      start: "prod_1",
      enabled: 1,
      created_at_m: NOW,
      expires: "2027-01-01 00:00:00",
      external_id: "acme",
    },
    {
      sha256: sum("hex"),
      name: "key_1",
      prefix: "prod_1",
      created_at: "2026-11-21T12:00:00.000Z",
      expires_at: "2027-01-01T00:00:00.000Z",
      owner: "acme",
    },
  ],
  ["unkey", { id: "key_1", plaintext: KEY, name: "n" }, { key: KEY, name: "n" }],
  [
    "kong",
    {
      id: "b2f34145-0343",
      key: KEY,
      ttl: 60,
      created_at: NOW / 1000,
      tags: ["ci"],
      consumer: { id: "acme" },
    },
    {
      key: KEY,
      name: "ci",
      created_at: "2026-11-21T12:00:00.000Z",
      expires_at: "2026-11-21T12:01:00.000Z",
      owner: "acme",
    },
  ],
  [
    "better-auth",
    {
      id: "1",
      name: "a\u0000b\u202e",
      key: sum("base64url"),
      start: "abc",
      enabled: false,
      userId: "u",
      expiresAt: null,
      createdAt: "2026-11-21T13:00:00+01:00",
    },
    {
      sha256: sum("hex"),
      name: "ab",
      prefix: "abc",
      enabled: false,
      created_at: "2026-11-21T12:00:00.000Z",
      owner: "u",
    },
  ],
])("reads %s", (format, row, converted) => {
  expect(FORMATS[format]!(row, NOW)).toEqual(converted);
});

it.each([
  ["better-auth", { id: "1", key: KEY }],
  ["unkey", { id: "1", hash: "$2b$10$abcdefghijklmnopqrstuv" }],
  ["kong", { id: "1" }],
])("%s: a record whose key is not what it should be is an error that does not repeat it", (format, row) => {
  expect(() => FORMATS[format]!(row, NOW)).toThrow(/SHA-256|missing/);
  expect(() => FORMATS[format]!(row, NOW)).not.toThrow(KEY);
});

it.each([
  ["keys", { key: KEY, scopes: { all: true } }, /^scopes is not read/],
  ["keys", { key: KEY, graphql: "none" }, /^graphql is read or read_write$/],
  ["sha256", { sha256: "zzz" }, /^sha256 is not 64 hexadecimal digits$/],
])("%s: what a list of ours says is read, or named", (format, row, message) => {
  expect(() => FORMATS[format]!(row, NOW)).toThrow(message);
});

it("a list of ours may say what each key may do, whatever --graphql says of the rest; what is not JSON is named", () => {
  const lines = [
    { key: KEY, graphql: "read" },
    { key: KEY, enabled: false },
  ].map((row) => JSON.stringify(row));
  const { stdout, stderr, status } = spawnSync(process.execPath, [SCRIPT, "keys", "--account", "acme"], {
    input: `\ufeff${lines.join("\r\n")}\n{"key":"${KEY}",}\n`,
    encoding: "utf8",
  });
  const made = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(made.map(({ graphql, enabled }) => [graphql, enabled])).toEqual([
    ["read", undefined],
    ["read_write", false],
  ]);
  expect(stderr).toBe("Record 3: it is not JSON\n");
  expect(status).toBe(1);
});

it("goes on after a bad record, says which, and fails in the end", () => {
  const input = JSON.stringify({ data: [{ id: "1", key: KEY }, { id: "2" }], next: null });
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [SCRIPT, ...args], { input, encoding: "utf8" });
  const { status, stdout, stderr } = run("kong", "--account", "acme", "--graphql", "read");
  expect(JSON.parse(stdout)).toEqual({ account_id: "acme", key: KEY, name: "Kong key 1", graphql: "read" });
  expect(stderr).toBe("Record 2: key is missing\n");
  expect(status).toBe(1);
  expect(run("kong").stdout).toBe("");
  expect(run("tyk").status).toBe(2);
  expect(run("constructor").status).toBe(2);
  expect(run("--help")).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: /) });
  const misspelt = run("kong", "--accout", "acme");
  expect(misspelt).toMatchObject({ status: 2, stdout: "" });
  expect(misspelt.stderr).toMatch(/^Unknown option '--accout'.*\nUsage: .*\n$/);
});
