import { Layout } from "./layout.tsx";
import type { Notice } from "./notice.ts";
import type { Shown } from "./page.ts";
import type { Visitor } from "./visitor.ts";

/** A page in its frame, as HTML. */
export async function render(
  { title, body, status = 200 }: Shown,
  frame: { path: string; visitor: Visitor | null; notice: Notice | null },
): Promise<Response> {
  const html = (
    <Layout title={title} {...frame}>
      {body}
    </Layout>
  );
  return new Response(`<!doctype html>${html}`, {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
  });
}
