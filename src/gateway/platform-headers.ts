/** How many requests' headers are remembered, and the longest, in characters: some 2 MB of an isolate's 128. */
const MOST = 500;
const LONGEST = 2048;

const REQUEST_ID = "x-request-id";

/** By all that is in them but the request's id. */
const remembered = new Map<string, Headers>();

/**
 * Headers as the platform holds them. To read a record takes it longer than all of a warm decision, and clients
 * send the same headers over and over: what was made of them once is given out again, under another request id.
 * So hand it to `fetch` at once, which copies it; it is the next request's the moment after.
 * @param record names in lower case; no value holds a line end, or the platform would not have read it
 */
export function platformHeaders(record: Readonly<Record<string, string>>): Headers {
  let text = "";
  for (const name in record) if (name !== REQUEST_ID) text += `${name}:${record[name]}\n`;
  const known = remembered.get(text);
  if (known !== undefined) {
    known.set(REQUEST_ID, record[REQUEST_ID] ?? "");
    return known;
  }
  const headers = new Headers(record);
  if (text.length <= LONGEST) {
    if (remembered.size >= MOST) remembered.clear(); // clients choose what they send
    remembered.set(text, headers);
  }
  return headers;
}
