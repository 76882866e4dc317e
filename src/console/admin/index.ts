import type { Page } from "../page.ts";
import { endpointPages } from "./endpoints.tsx";

/** What admins see and change. */
export const adminPages: readonly Page[] = [...endpointPages];
