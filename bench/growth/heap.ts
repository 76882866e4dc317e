import type { Prepared } from "../direct.ts";
import { loadMany } from "./load-many.ts";

/** One debuggable isolate, as the inspector lists it. */
interface Target {
  id: string;
  webSocketDebuggerUrl: string;
}

/**
 * The JavaScript heap of the gateway's isolate once it has answered the first so many of the requests, in KiB:
 * after collecting garbage. Memory of the whole process would be mostly that of the simulator beside it.
 * @param counts ascending
 */
export async function heapAfter(
  prepared: Prepared,
  requests: readonly string[],
  counts: readonly number[],
): Promise<number[]> {
  const side = { name: "gateway", vars: {} };
  const server = await prepared.serve([side], "network", { inspected: true });
  try {
    const found: number[] = [];
    for (const count of counts) {
      const target = { port: server.ports[side.name]!, pid: server.pid };
      await loadMany(target, requests.slice(0, count), count);
      found.push(await heapOf(server.inspector!, side.name));
    }
    return found;
  } finally {
    await server.stop();
  }
}

/** Heap that one isolate uses, in KiB, through workerd's inspector. */
async function heapOf(inspector: string, name: string): Promise<number> {
  const targets = (await (await fetch(`http://${inspector}/json`)).json()) as Target[];
  const target = targets.find(({ id }) => id === name);
  if (target === undefined) throw new Error(`the inspector does not know the Worker ${name}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  let asked = 0;
  const call = (method: string) => {
    asked += 1;
    const id = asked;
    socket.send(JSON.stringify({ id, method }));
    return new Promise<unknown>((resolve) => {
      socket.addEventListener("message", ({ data }) => {
        const answer = JSON.parse(data as string) as { id?: number; result?: unknown };
        if (answer.id === id) resolve(answer.result);
      });
    });
  };
  // workerd answers no `HeapProfiler.collectGarbage`; a snapshot collects first. What is in it is let go.
  await call("HeapProfiler.takeHeapSnapshot");
  const { usedSize } = (await call("Runtime.getHeapUsage")) as { usedSize: number };
  socket.close();
  return usedSize / 1024;
}
