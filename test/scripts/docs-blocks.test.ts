import { expect, it } from "vitest";
import { commandBlocks, normal, withAnswers } from "../../scripts/docs/blocks.ts";

const DOCUMENT = `# Title

\`\`\`sh
not run
\`\`\`

\`\`\`sh run
echo one
\`\`\`

\`\`\`text answer
one
\`\`\`

\`\`\`sh run
echo two
\`\`\`

Text between: that answer is nobody's.

\`\`\`text answer
stray
\`\`\`
`;

it("finds the commands that are marked, with the answer right below each", () => {
  expect(commandBlocks(DOCUMENT)).toEqual([
    { command: "echo one\n", answer: "one\n", line: 8 },
    { command: "echo two\n", answer: undefined, line: 16 },
  ]);
});

it("pastes answers in where a document shows one, and nowhere else", () => {
  const written = withAnswers(DOCUMENT, ["1\n", "2\n"]);
  expect(commandBlocks(written).map(({ answer }) => answer)).toEqual(["1\n", undefined]);
  expect(written.replace("1\n", "one\n")).toBe(DOCUMENT);
});

it("makes what differs from run to run the same, keys above all", () => {
  const key = `pst_live_a${"A1b2".repeat(10)}TAGTAG`;
  const id = "911383d8-38b1-4739-8d1b-e1038413c46f";
  const answer = `{"key":"${key}","prefix":"${key.slice(0, 14)}","id":"${id}","created_at":"2026-11-20T01:02:03.004Z"}`;
  expect(normal(answer, Date.UTC(2026, 10, 20))).toBe(
    '{"key":"pst_live_…","prefix":"pst_live_a1B2c","id":"01234567-89ab-4cde-8f01-23456789abcd","created_at":"2026-11-21T12:00:00.000Z"}\n',
  );
});

it("leaves a time that the command named as it is", () => {
  const now = Date.UTC(2026, 10, 20);
  const answer = '{"created_at":"2024-05-01T00:00:00.000Z","created":1700000000}\n';
  expect(normal(answer, now)).toBe(answer);
  expect(normal('"created":1795138000', now)).toBe('"created":1795262400\n');
});
