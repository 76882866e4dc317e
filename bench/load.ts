import { readFileSync } from "node:fs";
import { connect } from "node:net";

/** What one run of requests cost. */
export interface Run {
  requests: number;
  seconds: number;
  /** User and system time of the process under test, in microseconds per request. */
  cpu: number;
  /** Microseconds. */
  p50: number;
  p99: number;
}

/** CPU time a process has used, in seconds (Linux: clock ticks of 10 ms in /proc). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/**
 * Sends `count` copies of one raw request over `connections` kept-alive connections, one at a time on each,
 * and checks the status of every answer.
 */
export async function load(options: {
  port: number;
  pid: number;
  request: string;
  status: number;
  count: number;
  connections: number;
}): Promise<Run> {
  const { port, pid, request, status, count, connections } = options;
  const bytes = Buffer.from(request, "latin1");
  const times: number[] = [];
  let left = count;
  const before = cpuSeconds(pid);
  const began = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: connections }, () => {
      return new Promise<void>((resolve, reject) => {
        const socket = connect(port, "127.0.0.1");
        socket.setNoDelay(true);
        let pending = Buffer.alloc(0);
        let sentAt = 0n;
        const next = () => {
          if (left === 0) {
            socket.destroy();
            resolve();
            return;
          }
          left -= 1;
          sentAt = process.hrtime.bigint();
          socket.write(bytes);
        };
        socket.on("connect", next);
        socket.on("error", reject);
        socket.on("data", (chunk) => {
          pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
          const end = pending.indexOf("\r\n\r\n");
          if (end === -1) return;
          const head = pending.toString("latin1", 0, end);
          const total = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
          if (pending.length < total) return;
          if (!head.startsWith(`HTTP/1.1 ${status}`)) {
            reject(new Error(`expected ${status}, got ${pending.toString("latin1", 0, total)}`));
            return;
          }
          times.push(Number(process.hrtime.bigint() - sentAt) / 1000);
          pending = pending.subarray(total);
          next();
        });
      });
    }),
  );
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(times.length * share)] ?? 0);
  return {
    requests: count,
    seconds,
    cpu: ((cpuSeconds(pid) - before) / count) * 1e6,
    p50: at(0.5),
    p99: at(0.99),
  };
}
