import { readdirSync, readFileSync } from "node:fs";
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

/** CPU time that a process's threads have used, in nanoseconds (Linux: /proc/PID/task/TID/schedstat). */
export function cpuTime(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // the thread has just ended
    }
  }
  return total;
}

export interface Load {
  port: number;
  pid: number;
  /** One request, as it goes on the wire. */
  request: string;
  /** The status every answer must have. */
  status: number;
  count: number;
  connections: number;
}

/**
 * Sends `count` copies of one raw request over `connections` kept-alive connections, one at a time on each,
 * and checks the status of every answer.
 */
export async function load({ port, pid, request, status, count, connections }: Load): Promise<Run> {
  const bytes = Buffer.from(request, "latin1");
  const times: number[] = [];
  let left = count;
  const before = cpuTime(pid);
  const began = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: connections }, () => {
      return new Promise<void>((resolve, reject) => {
        const socket = connect(port, "127.0.0.1");
        socket.setNoDelay(true);
        let pending: Buffer = Buffer.alloc(0);
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
          const length = lengthOf(pending);
          if (length === null || pending.length < length) return;
          const answer = pending.toString("latin1", 0, length);
          if (!answer.startsWith(`HTTP/1.1 ${status} `)) {
            reject(new Error(`expected ${status}, got ${answer}`));
            return;
          }
          times.push(Number(process.hrtime.bigint() - sentAt) / 1000);
          pending = pending.subarray(length);
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
    cpu: (cpuTime(pid) - before) / count / 1000,
    p50: at(0.5),
    p99: at(0.99),
  };
}

const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

/** How long the answer is that begins the buffer, or null while that cannot be told. */
function lengthOf(buffer: Buffer): number | null {
  const end = buffer.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const head = buffer.toString("latin1", 0, end);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) return end + 4 + Number(length);
  const last = buffer.indexOf(LAST_CHUNK, end);
  return last === -1 ? null : last + LAST_CHUNK.length;
}
