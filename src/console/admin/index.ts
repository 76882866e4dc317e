import type { Page } from "../page.ts";

/** What admins see and change. */
export const adminPages: readonly Page[] = [];
