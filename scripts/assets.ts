// `npm run assets`: writes src/console/minified.ts from console.css and console.js beside it; a test holds it to them.
import { writeFileSync } from "node:fs";
import { MINIFIED, minified } from "./assets/minified.ts";

writeFileSync(MINIFIED, await minified());
