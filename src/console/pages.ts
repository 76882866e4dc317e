import { adminPages } from "./admin/index.ts";
import { homePages } from "./home.tsx";
import { keyPages } from "./keys/index.ts";
import type { Page } from "./page.ts";
import { settingsPages } from "./settings/index.ts";
import { signInPages } from "./sign-in/index.ts";
import { usagePages } from "./usage/index.ts";

/** Every page of the console. */
export const PAGES: readonly Page[] = [
  ...homePages,
  ...signInPages,
  ...keyPages,
  ...usagePages,
  ...settingsPages,
  ...adminPages,
];
