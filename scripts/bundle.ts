import { build } from "esbuild";

/**
 * Bundles a Worker into one ES module, with the settings `wrangler deploy` uses, in a fraction of its time.
 * @param entry absolute path of the Worker's main file
 * @param root directory whose tsconfig.json (JSX settings) and node_modules apply
 * @param options `sourcemap: false` leaves the source map out, for what is deployed carries none
 * @returns the module's text, its source map inline
 * @throws esbuild's BuildFailure, which names file and line
 */
export async function bundleWorker(
  entry: string,
  root: string,
  { sourcemap = true }: { sourcemap?: boolean } = {},
): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    supported: { using: true },
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    define: { "process.env.NODE_ENV": '"production"' },
    minify: true,
    sourcemap: sourcemap ? "inline" : false,
    logLevel: "silent",
  });
  return result.outputFiles[0]!.text;
}
