import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface DeployFlags {
  dryRun: boolean;
  force: boolean;
  /** For `wrangler deploy`, as they were given. */
  passedOn: string[];
  /** Variables that `--var NAME:VALUE` sets, beside those of wrangler.toml. */
  vars: Record<string, string>;
  /** Only asks what the flags are. */
  help: boolean;
}

/** The command line is not one that deploy understands; the message names what is wrong. */
export class FlagError extends Error {}

const value = { type: "string", multiple: true } as const;
const on = { type: "boolean" } as const;

/**
 * Flags of `wrangler deploy` that may be passed on: what the deployed thing is and is called stays with
 * wrangler.toml, since the steps before the upload go by it.
 */
const PASSED_ON = {
  ...{ domain: value, domains: value, route: value, routes: value, var: value, define: value },
  ...{ tag: value, message: value, outdir: value, metafile: value },
  ...{ "keep-vars": on, logpush: on, strict: on, "upload-source-maps": on },
};
const OWN = { "dry-run": on, force: on };
const HELP = { help: { type: "boolean", short: "h" } } as const;

/** What each flag does; those of wrangler in its own words, shortened. */
export const USAGE = `Usage: npm run deploy -- [flags]

Creates what is missing, applies the migrations, and deploys the Worker (docs/deploy.md).

  --dry-run              asks what there is and says what would be done; writes nothing at Cloudflare
  --force                deploys although nothing changed
  -h, --help             this

Handed to wrangler deploy:
  --domain HOST          a custom domain to deploy to (or --domains)
  --route PATTERN        a route to deploy to (or --routes)
  --var NAME:VALUE       a variable of the Worker, before the one in wrangler.toml
  --define NAME:VALUE    a value that stands for a name in the code
  --tag TEXT             a tag for this version
  --message TEXT         a message for this version
  --outdir DIRECTORY     where to leave the bundled Worker
  --metafile FILE        where to leave what esbuild says of the bundle
  --keep-vars            keeps the variables that were set in the dashboard
  --logpush              sends trace events to Workers Logpush
  --strict               refuses where the deployed Worker was changed elsewhere
  --upload-source-maps   uploads source maps with the Worker`;

/** But for those that npm has a setting of its own for, which may stand in anybody's .npmrc. */
const MAY_BE_KEPT = ["dryrun", ...Object.keys(OWN), ...Object.keys(PASSED_ON)].filter(
  (name) => name !== "tag" && name !== "message",
);

/**
 * Reads the command line.
 * @param environment npm keeps flags for itself that stand before `--`, and tells of them here alone
 * @throws FlagError naming a flag that is unknown, or that npm kept
 */
export function readFlags(args: string[], environment: Record<string, string | undefined>): DeployFlags {
  const { values, tokens } = parse(args);
  if (values.help) return { dryRun: false, force: false, passedOn: [], vars: {}, help: true };
  const given = new Set(tokens.flatMap((token) => (token.kind === "option" ? [token.name] : [])));
  refuseWhatNpmKept(environment, given);
  const passedOn = tokens.flatMap((token) => {
    if (token.kind !== "option" || token.name in OWN) return [];
    return token.value === undefined
      ? [token.rawName]
      : token.inlineValue
        ? [`${token.rawName}=${token.value}`]
        : [token.rawName, token.value];
  });
  const vars = (values.var ?? []).map((text) => {
    const colon = text.indexOf(":");
    if (colon < 1) throw new FlagError("--var takes NAME:VALUE");
    return [text.slice(0, colon), text.slice(colon + 1)] as const;
  });
  return {
    dryRun: values["dry-run"] ?? false,
    force: values.force ?? false,
    passedOn,
    vars: Object.fromEntries(vars),
    help: false,
  };
}

function refuseWhatNpmKept(environment: Record<string, string | undefined>, given: Set<string>): void {
  for (const name of MAY_BE_KEPT) {
    const kept = environment[`npm_config_${name.replaceAll("-", "_")}`] ?? "";
    if (kept === "" || kept === "false" || given.has(name)) continue;
    const meant = name === "dryrun" ? "dry-run" : name;
    throw new FlagError(`npm kept --${name} for itself. Put -- before it: npm run deploy -- --${meant}`);
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, tokens: true, options: { ...OWN, ...HELP, ...PASSED_ON } });
  } catch (error) {
    const known = [...Object.keys(OWN), ...Object.keys(PASSED_ON)].map((name) => `--${name}`);
    throw new FlagError(`${(error as Error).message}\nFlags: ${known.join(" ")}; --help says what each does`);
  }
}
