import type { Child } from "../html/jsx-runtime.ts";
import { SCRIPT, STYLE } from "./assets.ts";
import { NoticeBox } from "./components.tsx";
import { ACCOUNT_FIELD, TOKEN_FIELD } from "./forms.ts";
import { navigationOf } from "./navigation.ts";
import type { Notice } from "./notice.ts";
import type { Visitor } from "./visitor.ts";

export interface LayoutProps {
  title: string;
  /** Path of the page, for the navigation. */
  path: string;
  visitor: Visitor | null;
  notice: Notice | null;
  children: Child;
}

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%234f46e5'/%3E%3Cpath d='M9 25V13a7 7 0 0 1 14 0v12h-4V13a3 3 0 0 0-6 0v12z' fill='white'/%3E%3C/svg%3E";

/** The frame of every page: whose account, who is signed in, where else to go. */
export function Layout({ title, path, visitor, notice, children }: LayoutProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{[title, visitor?.account?.name, "Postern"].filter(Boolean).join(" · ")}</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={STYLE.url} />
        <script src={SCRIPT.url} defer></script>
      </head>
      <body class={visitor === null ? "outside" : "inside"}>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="top">
          <a class="brand" href="/console">
            <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
              <rect width="32" height="32" rx="8" class="brand-ground" />
              <path d="M9 25V13a7 7 0 0 1 14 0v12h-4V13a3 3 0 0 0-6 0v12z" class="brand-arch" />
            </svg>
            <span>Postern</span>
          </a>
          {visitor !== null && <Who visitor={visitor} path={path} />}
        </header>
        {visitor !== null && <Navigation visitor={visitor} path={path} />}
        <main id="main" tabindex={-1}>
          {visitor?.account?.suspended === true && (
            <NoticeBox kind="warning" title={`The account ${visitor.account.name} is suspended`}>
              None of its keys work, nor will those that are made now. Whoever runs this gateway can reinstate
              it.
            </NoticeBox>
          )}
          {notice !== null && <NoticeBox kind={notice.kind}>{notice.text}</NoticeBox>}
          {children}
        </main>
        <footer>
          <a href="/docs">API documentation</a>
        </footer>
      </body>
    </html>
  );
}

function Who({ visitor, path }: { visitor: Visitor; path: string }) {
  const { session, account, role, identity, cookie, access } = visitor;
  const several = session.memberships.length > 1;
  return (
    <div class="who">
      {several ? (
        <Form visitor={visitor} action="/console/account" class="chooser">
          <label for="account">Account</label>
          <select id="account" name="account" data-submit-on-change>
            {session.memberships.map(({ account_id: id }) => (
              <option value={id} selected={id === account?.id}>
                {id === account?.id ? `${account.name} (${id})` : id}
              </option>
            ))}
          </select>
          <input type="hidden" name="from" value={path} />
          <button class="button small" type="submit">
            Switch
          </button>
        </Form>
      ) : (
        account !== null && (
          <p class="account">
            <span class="quiet">Account</span> <strong>{account.name}</strong>
          </p>
        )
      )}
      <p class="person">
        <span class="quiet">Signed in as</span> <strong>{identity}</strong>
        {role !== null && <span class="badge">{role}</span>}
        {session.admin && <span class="badge accent">admin</span>}
      </p>
      {access && (
        <a class="button small" href="/cdn-cgi/access/logout">
          Sign out
        </a>
      )}
      {cookie !== null && (
        <Form visitor={visitor} action="/console/sign-out">
          <button class="button small" type="submit">
            Sign out
          </button>
        </Form>
      )}
    </div>
  );
}

function Navigation({ visitor, path }: { visitor: Visitor; path: string }) {
  const groups = navigationOf(visitor);
  const isCurrent = (item: string) => path === item || path.startsWith(`${item}/`);
  return (
    <nav class="side" aria-label="Console">
      {groups.map(({ label, items }) => (
        <section>
          <h2>{label}</h2>
          <ul>
            {items.map((item) => (
              <li>
                <a href={item.path} aria-current={isCurrent(item.path) ? "page" : undefined}>
                  {item.label}
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

export interface FormProps {
  /** Who posts it: `visit.visitor`. */
  visitor: Visitor;
  action: string;
  children?: Child;
  class?: string;
  id?: string;
  /** For a form with a file. */
  upload?: boolean;
  /** The question that a dialog asks before the form is sent; see `confirmation` for those without scripts. */
  confirm?: string;
  /** Label of the dialog's own button; default Yes. */
  yes?: string;
  [attribute: `data-${string}`]: string | boolean | undefined;
}

/** A form that posts: with the token against cross-site posts, and the account its page showed. */
export function Form({ visitor, action, children, upload, confirm, yes, ...rest }: FormProps) {
  return (
    <form
      method="post"
      action={action}
      enctype={upload ? "multipart/form-data" : undefined}
      data-confirm={confirm}
      data-yes={yes}
      {...rest}
    >
      <input type="hidden" name={TOKEN_FIELD} value={visitor.formToken} />
      {visitor.account !== null && <input type="hidden" name={ACCOUNT_FIELD} value={visitor.account.id} />}
      {children}
    </form>
  );
}
