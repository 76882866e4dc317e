import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";

/** What one run of requests cost. */
export interface Run {
  requests: number;
  seconds: number;
  /** User and system time of the process under test, in microseconds per request. */
  cpu: number;
  /**
   * Machine instructions per request, of user and kernel together; null where Linux's `perf` cannot count
   * them. Unlike time, they hardly depend on what else the machine does.
   */
  instructions: number | null;
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
  const instructions = await countInstructions(pid);
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
  const cpu = (cpuTime(pid) - before) / count / 1000;
  const counted = await instructions();
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(times.length * share)] ?? 0);
  return {
    requests: count,
    seconds,
    cpu,
    instructions: counted === null ? null : counted / count,
    p50: at(0.5),
    p99: at(0.99),
  };
}

const COUNTED = ["stat", "-x,", "-e", "instructions:u,instructions:k"];

/** Whether this machine can count instructions: `perf` is there, and may. */
const CAN_COUNT = /^\d/.test(spawnSync("perf", [...COUNTED, "true"], { encoding: "utf8" }).stderr ?? "");

/** Starts to count a process's instructions; the function it gives ends that and says how many. */
async function countInstructions(pid: number): Promise<() => Promise<number | null>> {
  if (!CAN_COUNT) return async () => null;
  const perf = spawn("perf", [...COUNTED, "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  perf.stderr.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  await new Promise((done) => setTimeout(done, 200)); // until it is attached
  return async () => {
    perf.kill("SIGINT");
    await once(perf, "close");
    const counts = text
      .trim()
      .split("\n")
      .map((line) => Number.parseInt(line, 10));
    return counts.length === 2 && counts.every(Number.isFinite) ? counts[0]! + counts[1]! : null;
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
