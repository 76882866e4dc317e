import type { Page } from "../page.ts";
import { localSignInPage } from "./local.ts";
import { callbackPage, startPage } from "./oidc.tsx";
import { signInPage } from "./sign-in.tsx";
import { signedOutPage, signOutPage } from "./sign-out.tsx";

/** Ways in and out. */
export const signInPages: readonly Page[] = [
  signInPage,
  startPage,
  callbackPage,
  localSignInPage,
  signOutPage,
  signedOutPage,
];
