import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import chromiumPackage from "@sparticuz/chromium";

const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "postern-chromium");

/**
 * Path of the Chromium to test with: CHROMIUM_PATH, or the one that comes with the npm package, unpacked
 * once. Test files start at the same time: each unpacks into a directory of its own, and the first to be
 * done gives it its name.
 */
export async function chromiumPath(): Promise<string> {
  const given = process.env.CHROMIUM_PATH;
  if (given) return given;
  const path = join(CACHE, "chromium");
  if (!existsSync(path)) await unpack();
  return path;
}

async function unpack(): Promise<void> {
  await mkdir(join(CACHE, ".."), { recursive: true });
  const directory = await mkdtemp(`${CACHE}-`);
  const before = process.env.TMPDIR;
  // Where the package unpacks to: `os.tmpdir()`.
  process.env.TMPDIR = directory;
  try {
    await chromiumPackage.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  await rename(directory, CACHE).catch(() => rm(directory, { recursive: true }));
}
