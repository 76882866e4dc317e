import type { JSX as Known } from "hono/jsx/jsx-runtime";

/**
 * What JSX becomes (tsconfig.json, `jsxImportSource`): HTML, as text and at once. The tags and attributes are
 * those of `hono/jsx`; its renderer, which also does contexts, promises and browsers, is ten times as large.
 */

/** Text that is HTML already. Nothing but this file makes it, so no value that came from outside can be it. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What an element may hold. Text is escaped; null, undefined, true and false are nothing. */
export type Child = Html | string | number | boolean | null | undefined | readonly Child[];

type Component = (props: Record<string, unknown>) => Child;

export declare namespace JSX {
  type Element = Html;
  type ElementType = string | ((props: never) => Child);
  interface ElementChildrenAttribute {
    children: unknown;
  }
  interface IntrinsicElements extends Known.IntrinsicElements {}
}

/** Takes a text for HTML. It must be ours to the last character. */
export const raw = (text: string): Html => new Html(text);

export const Fragment = ({ children }: { children?: Child }): Child => children;

/** Elements without content, and without an end tag (HTML, section 13.1.2). */
const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/;

/** An element, or what a component makes of its properties. */
export function jsx(
  tag: string | Component,
  { children, ...attributes }: { children?: Child; [attribute: string]: unknown },
): Html {
  if (typeof tag === "function") return new Html(html(tag({ ...attributes, children })));
  const start = `<${tag}${Object.entries(attributes).map(attribute).join("")}`;
  return new Html(VOID.test(tag) ? `${start}/>` : `${start}>${html(children)}</${tag}>`);
}

export { jsx as jsxDEV, jsx as jsxs };

function html(child: Child): string {
  if (child === null || child === undefined || typeof child === "boolean") return "";
  if (child instanceof Html) return child.toString();
  return Array.isArray(child) ? child.map(html).join("") : escaped(String(child));
}

/** True and false are words for `aria-` and `data-`; any other attribute is there, or is not. */
function attribute([name, value]: [string, unknown]): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean" && !/^(?:aria|data)-/.test(name)) return value ? ` ${name}=""` : "";
  return ` ${name}="${escaped(String(value))}"`;
}

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);
