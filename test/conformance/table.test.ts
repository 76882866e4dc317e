import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/** SHA-256 of each document without its white space: the documents themselves are not in this repository. */
const DOCUMENTS = {
  "runpod-blog": "83d9d7830bfa227608e8d355e1793024eea6493799613e2d0509a013f8f6ff07",
  "runpod-docs": "e09002ee34281cbf8a424080a2550cad10f33adc876e3ebc7df264abbaf221ed",
  remotegpu: "3de292389186b1dbfcc06031f1dc09f0302ebf62c84d94c901cd44a7afdd2b76",
  runtype: "0089caff35b0927b85936d96392a220b21a49f59d72bd7e52dad4e3b5fec4140",
};

type Name = keyof typeof DOCUMENTS;
const NAMES = Object.keys(DOCUMENTS) as Name[];

const page = readFileSync(join(import.meta.dirname, "../../docs/conformance.md"), "utf8");

/** The rows of a document's table, without Markdown's escapes. */
function rowsOf(name: Name): { sentence: string; proof: string }[] {
  const section = page.split("\n## ").find((text) => text.includes(`test/conformance/${name}.test.ts\``));
  return [...section!.matchAll(/^\| (.*) \| (.*) \|$/gm)].slice(2).map(([, sentence, proof]) => ({
    sentence: sentence!.replace(/\\(.)/g, "$1"),
    proof: proof!.replace(/\\(.)/g, "$1"),
  }));
}

/** The titles of a file's tests, as they are written. */
function titlesOf(name: Name): string[] {
  const source = readFileSync(join(import.meta.dirname, `${name}.test.ts`), "utf8");
  return [...source.matchAll(/\btest(?:\.concurrent)?\(\s*(["'])(.*?)(?<!\\)\1,\s/g)].map(
    ([, , title]) => title!,
  );
}

/** The test that a row names; null when it names none. */
function testOf(name: Name, proof: string): { file: Name; title: string } | null {
  const [, named] = /✓ (.*)$/.exec(proof) ?? [];
  if (named === undefined) return null;
  const other = NAMES.find((one) => named.startsWith(`${one}: `));
  return other === undefined
    ? { file: name, title: named }
    : { file: other, title: named.slice(other.length + 2) };
}

/** Whether a test of another suite is there: a file below test/, without its ending, and a title in it. */
function isElsewhere(file: string, title: string): boolean {
  const path = join(import.meta.dirname, "..", `${file}.test.ts`);
  const source = existsSync(path) ? readFileSync(path, "utf8") : "";
  return ["test", "it"].some((word) => source.includes(`${word}("${title}", `));
}

describe.each(NAMES)("the table of %s", (name) => {
  test("holds every sentence of the document, in order", () => {
    const text = rowsOf(name)
      .map(({ sentence }) => sentence)
      .join("");
    expect(createHash("sha256").update(text.replace(/\s+/g, "")).digest("hex")).toBe(DOCUMENTS[name]);
  });

  test("names for each a test that exists, or says why there is none", () => {
    for (const { sentence, proof } of rowsOf(name)) {
      const named = testOf(name, proof);
      if (named !== null)
        expect([sentence, titlesOf(named.file)]).toEqual([sentence, expect.arrayContaining([named.title])]);
      else
        expect([sentence, proof]).toEqual([sentence, expect.stringMatching(/^(?:Out of scope|Console): /)]);
    }
  });

  test("names for what is done in the console a test that does it, and none elsewhere that is not there", () => {
    for (const { sentence, proof } of rowsOf(name)) {
      const elsewhere = [...proof.matchAll(/`([a-z0-9-]+\/[a-z0-9-]+)` "([^"]+)"/g)];
      expect([sentence, elsewhere.length > 0 || !proof.startsWith("Console: ")]).toEqual([sentence, true]);
      for (const [, file, title] of elsewhere) {
        expect([sentence, title, isElsewhere(file!, title!)]).toEqual([sentence, title, true]);
      }
    }
  });

  test("names every test of its file", () => {
    const named = NAMES.flatMap((one) => rowsOf(one).map(({ proof }) => testOf(one, proof)));
    const proven = named.flatMap((one) => (one?.file === name ? [one.title] : []));
    expect(titlesOf(name).length).toBeGreaterThan(10);
    expect(titlesOf(name).filter((title) => !proven.includes(title))).toEqual([]);
  });
});
