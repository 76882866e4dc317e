import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port for `npm start` that is free, as are the one below it and the two above. It is below those that the system
 * hands out to anybody who does not care.
 */
export async function portWithTwoAbove(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all([-1, 0, 1, 2].map((more) => isFree(first + more)));
    if (free.every(Boolean)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  const free = await once(server, "listening").then(
    () => true,
    () => false,
  );
  if (free) await new Promise((done) => server.close(done));
  return free;
}
