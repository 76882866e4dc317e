// `npm run docs:made`: writes the parts of docs/ that are made from the code. A test holds them equal.
import { writeFileSync } from "node:fs";
import { madeDocuments } from "./docs/made.ts";

for (const { path, is, should } of await madeDocuments()) {
  if (is !== should) writeFileSync(path, should);
  console.log(`${is === should ? "unchanged" : "written  "} ${path}`);
}
