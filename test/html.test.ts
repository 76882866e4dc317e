import fc from "fast-check";
import { Fragment as HonoFragment, jsx as honoJsx } from "hono/jsx/jsx-runtime";
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

  it("is what hono/jsx makes of the same, whatever the tree", () => {
    const text = fc.oneof(fc.string(), fc.constant(NASTY), fc.constant(`</script>'"&lt;`));
    const nothing = fc.constantFrom(null, undefined);
    const value = fc.oneof(text, fc.integer(), fc.boolean(), nothing);
    // `title={true}` does not compile: true and false are for those that HTML or ARIA has them for.
    const said = fc.record(
      { title: text, href: text, value: fc.oneof(text, fc.integer()) },
      { requiredKeys: [] },
    );
    const flags = {
      disabled: fc.boolean(),
      "aria-hidden": fc.boolean(),
      "data-on": fc.oneof(fc.boolean(), text),
    };
    const attributes = fc.tuple(said, fc.record(flags, { requiredKeys: [] }), fc.record({ class: nothing }));
    const { tree } = fc.letrec<{ tree: Tree; element: Tree }>((tie) => ({
      tree: fc.oneof({ depthSize: "small" }, value, tie("element"), fc.array(value, { maxLength: 3 })),
      element: fc.record({
        tag: fc.constantFrom("p", "a", "input", "br", "td", "component", "fragment"),
        attributes: attributes.map((parts): Record<string, unknown> => Object.assign({}, ...parts)),
        children: fc.array(tie("tree"), { maxLength: 4 }),
      }),
    }));
    fc.assert(
      fc.property(tree, (each) => {
        const ours = String(jsx("main", { children: made(each, jsx as Make, Fragment) as Child }));
        const theirs = honoJsx(
          "main",
          { children: made(each, honoJsx as Make, HonoFragment) } as never,
          undefined,
        );
        expect(ours).toBe(String(theirs));
      }),
      { numRuns: 2000 },
    );
  });
});

/** A tree of elements, before it is made by either. */
type Tree =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Tree[]
  | { tag: string; attributes: Record<string, unknown>; children: Tree[] };

type Make = (tag: unknown, props: Record<string, unknown>, key?: string) => unknown;

function made(tree: Tree, make: Make, fragment: unknown): unknown {
  if (Array.isArray(tree)) return tree.map((each) => made(each, make, fragment));
  if (typeof tree !== "object" || tree === null) return tree;
  const { tag, attributes, children } = tree as Exclude<Tree, readonly Tree[]> & {
    children: Tree[];
    tag: string;
    attributes: Record<string, unknown>;
  };
  const inside = ["input", "br"].includes(tag)
    ? {}
    : { children: children.map((each) => made(each, make, fragment)) };
  if (tag === "fragment") return make(fragment, inside);
  if (tag === "component")
    return make((props: { children?: unknown }) => make("section", { children: props.children }), inside);
  return make(tag, { ...attributes, ...inside });
}
