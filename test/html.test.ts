import { describe, expect, it } from "vitest";
import { type Child, Fragment, Html, jsx, raw } from "../src/html/jsx-runtime.ts";

const NASTY = `<b a="1" c='2'>&amp;`;
const SAFE = "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;";

describe("JSX becomes HTML", () => {
  it("in which text is escaped, in elements and in attributes", () => {
    expect(String(jsx("p", { title: NASTY, children: NASTY }))).toBe(`<p title="${SAFE}">${SAFE}</p>`);
    expect(String(jsx("p", { children: [NASTY, [NASTY]] }))).toBe(`<p>${SAFE}${SAFE}</p>`);
    expect(String(jsx("p", { title: raw(NASTY) }))).toBe(`<p title="${SAFE}"></p>`);
  });

  it("once: an element in an element is left as it is", () => {
    const inner = jsx("b", { children: NASTY });
    expect(String(jsx("p", { children: [inner, " ", inner] }))).toBe(`<p><b>${SAFE}</b> <b>${SAFE}</b></p>`);
  });

  it("and text alone that the code calls HTML is taken for it", () => {
    expect(String(jsx("style", { children: raw("a > b { }") }))).toBe("<style>a > b { }</style>");
    const forged = { isEscaped: true, toString: () => "<b>" };
    expect(forged instanceof Html).toBe(false);
    expect(String(jsx("p", { children: forged as unknown as Child }))).toBe("<p>&lt;b&gt;</p>");
  });

  it("null, undefined, true and false are nothing; 0 is a number", () => {
    expect(String(jsx("p", { children: [null, undefined, true, false, 0, ""] }))).toBe("<p>0</p>");
    expect(String(jsx("p", {}))).toBe("<p></p>");
  });

  it("an attribute is there or is not; for aria- and data-, true and false are words", () => {
    expect(String(jsx("input", { disabled: true, checked: false, list: undefined, min: 0 }))).toBe(
      `<input disabled="" min="0"/>`,
    );
    expect(String(jsx("i", { "aria-hidden": true, "data-on": false }))).toBe(
      `<i aria-hidden="true" data-on="false"></i>`,
    );
  });

  it("a component is what it makes of its properties", () => {
    const Greeting = ({ name, children }: Record<string, unknown>) => [
      "Hello, ",
      `${name}`,
      children as Child,
    ];
    expect(String(jsx(Greeting, { name: "<Ada>", children: jsx("b", {}) }))).toBe(
      "Hello, &lt;Ada&gt;<b></b>",
    );
    expect(String(jsx(() => null, {}))).toBe("");
    expect(String(jsx(Fragment, { children: [jsx("b", {}), "&"] }))).toBe("<b></b>&amp;");
  });
});
