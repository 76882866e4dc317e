const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How often to look whether npm is still there. */
const PARENT_CHECK_MS = 500;

/**
 * Runs `stop` once when the process is told to end, then ends it with exit code 0. Told by a signal, by the
 * reader of its output going away (`npm start | head`), or by npm being killed, which does not tell its child.
 */
export function onStop(stop: () => Promise<void>): void {
  let stopping = false;
  const end = async () => {
    if (stopping) return;
    stopping = true;
    try {
      await stop();
    } catch (error) {
      console.error(error);
      process.exit(1);
    }
    process.exit(0);
  };

  for (const signal of SIGNALS) {
    // Miniflare listens too, and would end the process at once with code 130.
    process.removeAllListeners(signal);
    process.on(signal, end);
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") void end();
    });
  }
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && end(), PARENT_CHECK_MS).unref();
  }
}
