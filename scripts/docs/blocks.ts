/**
 * A command of a document: a fenced block whose info string is `sh run`, with the answer that follows it in a block
 * whose info string is `text answer`. GitHub colours both by their first word.
 */
export interface CommandBlock {
  command: string;
  /** What the document says it answers; undefined where it shows no answer. */
  answer: string | undefined;
  /** Line of the command in the document, from 1. */
  line: number;
}

const BLOCK = /^```sh run\n(.*?)^```\n(?:\n?```text answer\n(.*?)^```\n)?/gms;

export function commandBlocks(document: string): CommandBlock[] {
  return [...document.matchAll(BLOCK)].map(({ 1: command = "", 2: answer, index }) => ({
    command,
    answer,
    line: document.slice(0, index).split("\n").length + 1,
  }));
}

/** The document with the answers of its commands, in order, in their place. */
export function withAnswers(document: string, answers: readonly string[]): string {
  let i = 0;
  return document.replace(BLOCK, (block, command: string, answer: string | undefined) => {
    const now = answers[i++] ?? "";
    return answer === undefined
      ? block
      : `\`\`\`sh run\n${command}\`\`\`\n\n\`\`\`text answer\n${now}\`\`\`\n`;
  });
}

/** A time this near the run came of it, in ms; what lies further off stands in the command. */
const NEAR = 2 * 24 * 3600 * 1000;

/** What differs from run to run, in the form the documents show it. Order counts. */
const CHANGING: readonly [pattern: RegExp, shown: string, time?: (text: string) => number][] = [
  [/\x1b\[[0-9;]*m/g, ""],
  [/\r/g, ""],
  [/\bey[\w-]{10,}\.[\w-]+\.[\w-]+/g, "TOKEN"],
  [/\b(pst_(?:live|test)_)[0-9A-Za-z]{20,}/g, "$1…"],
  [/\b(pst_(?:live|test)_)[0-9A-Za-z]{5}\b/g, "$1a1B2c"],
  [/\bkey_[0-9A-Za-z]{22}\b/g, "key_0123456789abcdefABCDEF"],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "01234567-89ab-4cde-8f01-23456789abcd"],
  [/\b(?!0{32})[0-9a-f]{32}\b/g, "0123456789abcdef0123456789abcdef"],
  [/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "2026-11-21T12:00:00.000Z", Date.parse],
  [
    /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT/g,
    "Sat, 21 Nov 2026 12:00:00 GMT",
    Date.parse,
  ],
  [/"created": ?\d{10}\b/g, '"created":1795262400', (text) => Number(text.slice(-10)) * 1000],
  [/dur=[\d.]+/g, "dur=0"],
  [/("(?:postern|origin)_ms":)\d+/g, "$10"],
  [/"tier":"(?:memory|kv|d1)"/g, '"tier":"d1"'],
  [/Total Upload: .*/g, "Total Upload: … KiB / gzip: … KiB"],
  [/\([\d.]+ sec\)/g, "(1 sec)"],
  [/Worker Startup Time: .*/g, "Worker Startup Time: 20 ms"],
];

/**
 * An answer with what differs from run to run made the same.
 * @param now when it ran, in ms
 */
export function normal(answer: string, now: number): string {
  const text = CHANGING.reduce(
    (before, [pattern, shown, time]) =>
      time === undefined
        ? before.replace(pattern, shown)
        : before.replace(pattern, (found) => (Math.abs(time(found) - now) < NEAR ? shown : found)),
    answer,
  );
  return `${text.replace(/[ \t]+$/gm, "").trim()}\n`;
}
