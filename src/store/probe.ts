/**
 * Asks the primary database for nothing in particular, in the table everything else depends on.
 * @throws whatever D1 says when it is away, or when its schema is not there
 */
export async function probe(db: D1Database): Promise<void> {
  await db.prepare("SELECT 1 FROM keys LIMIT 1").first();
}
