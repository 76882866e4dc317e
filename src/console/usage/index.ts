import type { Page } from "../page.ts";
import { usagePage } from "./usage.tsx";

/** Usage of an account's keys. */
export const usagePages: readonly Page[] = [usagePage];
