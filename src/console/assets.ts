import { asset } from "./asset.ts";
import { CSS, JS } from "./minified.ts";

/** The console's one stylesheet: `console.css`, minified. */
export const STYLE = asset("/console/style.css", "text/css; charset=utf-8", CSS);

/** The console's one script: `console.js`, minified. */
export const SCRIPT = asset("/console/script.js", "text/javascript; charset=utf-8", JS);
