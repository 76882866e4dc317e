/** Ends the process with one line that says what is wrong. */
export function die(message: string, code = 1): never {
  console.error(message);
  process.exit(code);
}

/** What `read` gives; where it throws, the error's message ends the process. */
export async function orDie<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    return die((error as Error).message);
  }
}
