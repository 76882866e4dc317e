/** D1 did not answer in time. */
export class Stalled extends Error {}

// Errors that Cloudflare documents as worth retrying (D1, "Retry queries"). Overload is not among them.
const TRANSIENT =
  /Network connection lost|storage caused object to be reset|reset because its code was updated|internal error|starting up D1/i;

/** Whether a failed D1 call may be sent again, given that it is idempotent. */
export function isTransient(error: unknown): boolean {
  return error instanceof Stalled || TRANSIENT.test(String(error));
}

/** Whether a failed batch certainly left nothing behind: SQLite refused a statement of it. */
export function isRolledBack(error: unknown): boolean {
  return /SQLITE_(CONSTRAINT|ERROR|MISMATCH|TOOBIG|RANGE)|D1_TYPE_ERROR/.test(String(error));
}

/** Rejects with `Stalled` when `promise` takes longer than `ms`: small databases have stalled for a minute. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Stalled(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs an idempotent D1 call, at most three times, each bounded in time. A request waits on it. */
export async function retrying<T>(call: () => Promise<T>, ms = 2000): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await within(call(), ms);
    } catch (error) {
      if (attempt === 3 || !isTransient(error)) throw error;
    }
  }
}
