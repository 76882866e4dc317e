import type { Denial } from "../denial.ts";
import type { RequestUrl } from "../http/url.ts";
import type { Trip } from "../journey/trip.ts";
import type { NamespaceRow } from "../store/namespaces.ts";
import type { Caller } from "./caller.ts";

/** Something that is asked of one namespace. */
export interface NamespaceRoute {
  methods: readonly string[];
  /** What it counts as in the key's usage. */
  operation: "read" | "write";
  /** Whether the key is judged on nothing that was known before the request began (spec 8). */
  strict: boolean;
  /** Whether a session opens it as well as a key. */
  sessions: boolean;
  /** Called once the caller may have what the route gives. */
  answer(
    trip: Trip,
    url: RequestUrl,
    namespace: NamespaceRow,
    caller: Caller,
  ): Response | Denial | Promise<Response | Denial>;
}
