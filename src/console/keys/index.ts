import type { Page } from "../page.ts";
import { createKeyPage, newKeyPage } from "./create.tsx";
import { keyPage } from "./detail.tsx";
import { disableManyPage } from "./disable-many.tsx";
import { editKeyPage, updateKeyPage } from "./edit.tsx";
import { listPage } from "./list.tsx";
import { confirmRevokePage, revokeKeyPage } from "./revoke.tsx";
import { confirmRotatePage, rotateKeyPage } from "./rotate.tsx";
import { templatePages } from "./templates.tsx";
import { toggleKeyPage } from "./toggle.ts";

/** API keys: list, create, edit, rotate, revoke; and the templates their permissions can come from. */
export const keyPages: readonly Page[] = [
  listPage,
  newKeyPage,
  createKeyPage,
  keyPage,
  editKeyPage,
  updateKeyPage,
  toggleKeyPage,
  disableManyPage,
  revokeKeyPage,
  confirmRevokePage,
  rotateKeyPage,
  confirmRotatePage,
  ...templatePages,
];
