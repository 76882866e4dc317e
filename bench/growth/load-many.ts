import { readFileSync } from "node:fs";
import { connect } from "node:net";

/** User and system time of a process so far, in seconds (Linux: ticks of 10 ms in /proc). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Memory a process holds, in MiB. */
export function memoryOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

/**
 * Sends `count` requests, the given ones in turn, over kept-alive connections; each must be answered 200.
 * @returns CPU time of the process, in microseconds per request
 */
export async function loadMany(
  { port, pid }: { port: number; pid: number },
  requests: readonly string[],
  count: number,
  connections = 16,
): Promise<number> {
  const bytes = requests.map((request) => Buffer.from(request, "latin1"));
  let sent = 0;
  const before = cpuSeconds(pid);
  await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect(port, "127.0.0.1").setNoDelay(true);
          let pending = Buffer.alloc(0);
          const next = () => {
            if (sent === count) {
              socket.destroy();
              resolve();
              return;
            }
            socket.write(bytes[sent % bytes.length] as Buffer);
            sent += 1;
          };
          socket.on("connect", next);
          socket.on("error", reject);
          socket.on("data", (chunk) => {
            pending = Buffer.concat([pending, chunk]);
            const end = pending.indexOf("\r\n\r\n");
            if (end === -1) return;
            const head = pending.toString("latin1", 0, end);
            const total = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
            if (pending.length < total) return;
            if (!head.startsWith("HTTP/1.1 200")) reject(new Error(pending.toString("latin1", 0, total)));
            pending = pending.subarray(total);
            next();
          });
        }),
    ),
  );
  return ((cpuSeconds(pid) - before) / count) * 1e6;
}
