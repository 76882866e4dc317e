/** What a request is matched with. Segments of the path in braces are parameters. */
interface Place {
  method: string;
  path: string;
}

/** The route a request is for, or the methods its path knows; null where there is no such path. */
export type Matched<R> = { route: R; params: Record<string, string> } | { allow: string[] } | null;

/** Finds the route for a method and a path. Segments are as sent; parameters come decoded. */
export function matchRoute<R extends Place>(
  routes: readonly R[],
  method: string,
  segments: readonly string[],
): Matched<R> {
  const found = routes.flatMap((route) => {
    const params = paramsOf(route.path, segments);
    return params === null ? [] : [{ route, params }];
  });
  if (found.length === 0) return null;
  // HEAD runs what GET runs, less the body (RFC 9110 section 9.3.2).
  const wanted = method === "HEAD" ? "GET" : method;
  // A path without parameters is the more telling one: `/admin/keys/import` is no key's id.
  const fitting = found.filter(({ route }) => route.method === wanted);
  const [first] = fitting.sort((a, b) => Object.keys(a.params).length - Object.keys(b.params).length);
  return first ?? { allow: allowed(found.map(({ route }) => route.method)) };
}

function allowed(methods: readonly string[]): string[] {
  const all = methods.includes("GET") ? ["GET", "HEAD", ...methods] : methods;
  return [...new Set([...all, "OPTIONS"])];
}

function paramsOf(path: string, segments: readonly string[]): Record<string, string> | null {
  const parts = path.slice(1).split("/");
  if (parts.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const segment = segments[i]!;
    if (part.startsWith("{")) params[part.slice(1, -1)] = decodeURIComponent(segment);
    else if (part !== segment) return null;
  }
  return params;
}
