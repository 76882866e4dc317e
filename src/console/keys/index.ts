import type { Page } from "../page.ts";
import { listPage } from "./list.tsx";

/** API keys: list, create, edit, rotate, revoke; templates; the account's audit log. */
export const keyPages: readonly Page[] = [listPage];
