import type { FragmentDefinitionNode, SelectionSetNode } from "graphql/language";

/** `undefinedFragment` is the name of a spread fragment that the document does not define. */
export type RootFields = { ok: true; names: string[] } | { ok: false; undefinedFragment: string };

/**
 * The names of the fields that this operation's root answers, through inline fragments and spreads whatever
 * their type conditions and `@skip`/`@include` say: those depend on the schema and the variables.
 * Each fragment is visited once, so cycles end and exponential spreading costs nothing. A list of what is
 * left to do instead of recursion: a chain of a thousand fragments is legal.
 */
export function gatherRootFields(
  root: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): RootFields {
  const names = new Set<string>();
  const visited = new Set<string>();
  const remaining = [root];
  for (let selectionSet = remaining.pop(); selectionSet !== undefined; selectionSet = remaining.pop()) {
    for (const selection of selectionSet.selections) {
      switch (selection.kind) {
        case "Field":
          names.add(selection.name.value);
          break;
        case "InlineFragment":
          remaining.push(selection.selectionSet);
          break;
        case "FragmentSpread": {
          const name = selection.name.value;
          if (visited.has(name)) break;
          visited.add(name);
          const fragment = fragments.get(name);
          if (fragment === undefined) return { ok: false, undefinedFragment: name };
          remaining.push(fragment.selectionSet);
        }
      }
    }
  }
  return { ok: true, names: [...names] };
}
