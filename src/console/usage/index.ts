import type { Page } from "../page.ts";

/** Usage of an account's keys. */
export const usagePages: readonly Page[] = [];
