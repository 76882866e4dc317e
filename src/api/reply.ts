/** 200 with a JSON body. */
export function ok(body: unknown): Response {
  return Response.json(body);
}

/** 201 with a JSON body, and where the new thing is. */
export function created(body: unknown, location: string): Response {
  return Response.json(body, { status: 201, headers: { location } });
}

/** 204. */
export function noContent(): Response {
  return new Response(null, { status: 204 });
}
