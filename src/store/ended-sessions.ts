import type { Write } from "./write.ts";

/** Whether a session of the console was ended before its time. */
export async function isEnded(db: D1Database, sid: string): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM ended_sessions WHERE sid = ?").bind(sid).first()) !== null;
}

/**
 * Ends a session; guarded by its not having ended. Those that could not go on anyhow are forgotten.
 * @param until when it would end at the latest, in ms
 */
export function endSession(sid: string, until: number, now: number): Write {
  const absent = "NOT EXISTS (SELECT 1 FROM ended_sessions WHERE sid = ?)";
  return {
    subjects: [],
    guard: { sql: absent, values: [sid] },
    statements: [
      {
        sql: `INSERT INTO ended_sessions (sid, until) SELECT ?, ? WHERE ${absent}`,
        values: [sid, until, sid],
      },
      { sql: "DELETE FROM ended_sessions WHERE until <= ?", values: [now] },
    ],
  };
}
