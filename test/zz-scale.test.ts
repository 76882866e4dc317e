import { test } from "vitest";
import { startTestGateway } from "./harness/gateway.ts";
test("scale", { timeout: 600000 }, async () => {
  const g = await startTestGateway();
  await g.createAccount("acme");
  const N = Number(process.env.N ?? 50000);
  let t = Date.now();
  await g.db.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?)
   INSERT INTO keys (id, account_id, hash, prefix, name, environment, permissions, scopes, created_at, created_by, enabled, revoked_at, expires_at)
   SELECT 'key_' || printf('%022d', i), 'acme', printf('%064d', i), 'pst_live_a' || printf('%04d', i % 10000), 'Key ' || i, CASE WHEN i % 1000 = 0 THEN 'test' ELSE 'production' END, '{"graphql":"read_write","inference":"read_write","kubernetes_exec":"all_namespaces"}', '{"all":true}', 1700000000000 + i, 'olga@acme.test', i % 777 <> 0, CASE WHEN i % 5000 = 0 THEN 1700000000000 END, NULL FROM n`).bind(N).run();
  console.log("seed", N, Date.now() - t);
  const q = async (label: string, sql: string, ...v: unknown[]) => { const t = Date.now(); const r = await g.db.prepare(sql).bind(...v).all(); console.log(label, "rows", r.results.length, "read", r.meta.rows_read, "ms", Date.now() - t, JSON.stringify((r.results.at(-1) as any)?.n)); };
  const cols = "k.id,k.name,k.created_at,k.prefix";
  await q("plain", `SELECT ${cols}, u.last_used_at FROM keys k LEFT JOIN key_last_used u ON u.key_id = k.id WHERE account_id='acme' ORDER BY k.created_at DESC, k.id DESC LIMIT 101`);
  await q("plainnojoin", `SELECT ${cols} FROM keys k WHERE account_id='acme' ORDER BY k.created_at DESC, k.id DESC LIMIT 101`);
  await q("revoked", `SELECT ${cols}, u.last_used_at FROM keys k LEFT JOIN key_last_used u ON u.key_id = k.id WHERE account_id='acme' AND revoked_at IS NOT NULL ORDER BY k.created_at DESC, k.id DESC LIMIT 101`);
  for (const f of ["k.revoked_at IS NOT NULL", "k.revoked_at IS NULL", "instr(k.name,'9')>0"]) {
    await q("coroutine " + f, `SELECT ${cols}, u.last_used_at FROM (SELECT * FROM keys WHERE account_id='acme' ORDER BY created_at DESC, id DESC LIMIT 1000) k LEFT JOIN key_last_used u ON u.key_id = k.id WHERE ${f} LIMIT 101`);
    await q("window " + f, `SELECT ${cols}, n, u.last_used_at FROM (SELECT *, row_number() OVER (ORDER BY created_at DESC, id DESC) AS n FROM keys WHERE account_id='acme' ORDER BY created_at DESC, id DESC LIMIT 1000) k LEFT JOIN key_last_used u ON u.key_id = k.id WHERE (${f}) OR n = 1000 LIMIT 101`);
  }
  await q("offset", `SELECT created_at, id FROM keys WHERE account_id='acme' ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET 999`);
  await q("count", `SELECT count(*) FROM keys WHERE account_id = 'acme' AND revoked_at IS NULL AND rotated_to IS NULL AND enabled = 1 AND (expires_at IS NULL OR expires_at > 1)`);
  await g.stop();
});
