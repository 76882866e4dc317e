export type OperationType = "query" | "mutation" | "subscription";

/**
 * One operation of a document. `rootFields` are the *names* of its top-level response fields (never their
 * aliases), gathered through inline fragments and fragment spreads, each once.
 */
export interface Operation {
  readonly type: OperationType;
  readonly rootFields: readonly string[];
}

/** Not classifiable, so not forwarded. `detail` is for the client; it may quote the document's syntax. */
export type Refused =
  | { kind: "refused"; status: 400 | 413 | 415; detail: string }
  /** `allow` is the `Allow` header that RFC 9110 section 15.5.6 requires. */
  | { kind: "refused"; status: 405; detail: string; allow: string };

/**
 * A persisted query without its document. `batch` is the number of entries when it came in a batch (the
 * client then expects an array of that many answers), else null.
 */
export interface PersistedQuery {
  kind: "persisted_query";
  batch: number | null;
}

/** Judged: every operation of every document, selected or not, and exactly what may be forwarded. */
export interface Judged {
  kind: "judged";
  operations: readonly Operation[];
  /** Canonical JSON to send as UTF-8 `application/json`; null for GET. */
  body: string | null;
  /** The URL query to forward, without `?`; `""` for none. */
  query: string;
}

export type Inspection = Judged | PersistedQuery | Refused;

export function refuse(status: 400 | 413 | 415, detail: string): Refused {
  return { kind: "refused", status, detail };
}

export function refuseMethod(detail: string, allow: string): Refused {
  return { kind: "refused", status: 405, detail, allow };
}
