/** What lies above an admin page. */
export const trail = (...above: { label: string; path?: string }[]) => [{ label: "Admin" }, ...above];

/** What is below a list for one record. Its page has a segment of its own, as an id may be `new` or `try`. */
export const recordPath = (list: string, id: string, part = "edit") =>
  `${list}/${encodeURIComponent(id)}/${part}`;

export const ACCOUNTS = "/console/admin/accounts";

export const ENDPOINTS = "/console/admin/endpoints";

export const KEYS = "/console/admin/keys";
export const FIND_KEY = `${KEYS}/find`;

/** The page of one key, or what is done to it there. Ids of keys begin with `key_`: none is `find`. */
export const keyPath = (id: string, part = "") =>
  `${KEYS}/${encodeURIComponent(id)}${part === "" ? "" : `/${part}`}`;

/** The key in the API. */
export const keyRecord = (id: string) => `/admin/keys/${encodeURIComponent(id)}`;
