import { describe, expect, it } from "vitest";
import { ENDPOINT_SHARD, shardOfKey, shardsOf } from "../../src/freshness/shards.ts";
import { accountSubject } from "../../src/store/accounts.ts";
import { nodeSubjects } from "../../src/store/endpoints.ts";
import { keySubject } from "../../src/store/keys.ts";

const HASH = "89abcdef".padEnd(64, "0");

describe("shards", () => {
  it("fences a key where it is looked for", () => {
    for (const shards of [1, 2, 3, 4, 64]) {
      expect(shardsOf(keySubject(HASH), shards)).toEqual([shardOfKey(HASH, shards)]);
      expect(shardOfKey(HASH, shards)).toBe(0x89abcdef % shards);
    }
  });

  it("fences an account in every shard", () => {
    expect(shardsOf(accountSubject("a"), 3)).toEqual([0, 1, 2]);
  });

  it("fences endpoints in one", () => {
    for (const subject of nodeSubjects("/v2/epA")) expect(shardsOf(subject, 4)).toEqual([ENDPOINT_SHARD]);
  });
});
