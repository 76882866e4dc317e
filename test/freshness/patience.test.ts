import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Patience } from "../../src/freshness/patience.ts";

const never = () => new Promise<never>(() => {});
const answering = (ms: number) => new Promise<string>((done) => setTimeout(() => done("answer"), ms));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("patience with a service that may hang", () => {
  let patience: Patience;
  beforeEach(() => {
    patience = new Patience(() => Date.now());
  });

  /** How long a call of `service` is waited for, in ms, and what came. */
  async function waitFor(service: string, answer: Promise<unknown>): Promise<[ms: number, came: unknown]> {
    const began = Date.now();
    const waiting = patience.answerOf(service, answer).then(
      (came) => [Date.now() - began, came],
      (error) => [Date.now() - began, (error as Error).name],
    ) as Promise<[number, unknown]>;
    await vi.advanceTimersByTimeAsync(3000);
    return waiting;
  }

  it("is two seconds at first", async () => {
    expect(await waitFor("kv", never())).toEqual([2000, "Error"]);
    expect(await waitFor("shard-1", answering(1900))).toEqual([1900, "answer"]);
  });

  it("is half a second where two were in vain, for that service alone", async () => {
    await waitFor("kv", never());
    expect(await waitFor("kv", never())).toEqual([500, "Error"]);
    expect(await waitFor("kv", answering(400))).toEqual([400, "answer"]);
    expect(await waitFor("shard-1", answering(1900))).toEqual([1900, "answer"]);
  });

  it("is two seconds again once it has answered", async () => {
    await waitFor("kv", never());
    await waitFor("kv", answering(1));
    expect(await waitFor("kv", answering(1900))).toEqual([1900, "answer"]);
  });

  it("is two seconds again ten seconds later, for one request: the others wait no longer than before", async () => {
    await waitFor("kv", never());
    await vi.advanceTimersByTimeAsync(10_000);
    const first = waitFor("kv", never());
    expect(await waitFor("kv", never())).toEqual([500, "Error"]);
    expect(await first).toEqual([2000, "Error"]);
    expect(await waitFor("kv", never())).toEqual([500, "Error"]);
  });

  it("does not shrink because a service says no", async () => {
    expect(await waitFor("kv", Promise.reject(new Error("away")))).toEqual([0, "Error"]);
    expect(await waitFor("kv", answering(1900))).toEqual([1900, "answer"]);
  });

  it("is whole again when the clock has run back", async () => {
    await waitFor("kv", never());
    vi.setSystemTime(Date.now() - 60_000);
    expect(await waitFor("kv", answering(1900))).toEqual([1900, "answer"]);
  });
});
