import { WranglerError, wrangler, wranglerJson } from "./wrangler.ts";

/** What wrangler.toml says must exist. */
export interface Wanted {
  worker: string;
  namespace: { title: string; id: string | undefined };
  database: { name: string; id: string | undefined };
}

/** What the account has of it; `undefined` where it has not. */
export interface Existing {
  namespaceId: string | undefined;
  databaseId: string | undefined;
}

/** Ids wrangler.toml names are believed; others are looked for by name. Only reads. */
export async function findExisting({ namespace, database }: Wanted): Promise<Existing> {
  const [namespaceId, databaseId] = await Promise.all([
    namespace.id ?? findNamespace(namespace.title),
    database.id ?? findDatabase(database.name),
  ]);
  return { namespaceId, databaseId };
}

/** Creates what is missing, saying so. Names are unique in an account, so nothing is made twice. */
export async function createMissing(wanted: Wanted, existing: Existing): Promise<Ids> {
  const { namespace, database } = wanted;
  const namespaceId =
    existing.namespaceId ??
    (await create(["kv", "namespace", "create", namespace.title], () => findNamespace(namespace.title)));
  const databaseId =
    existing.databaseId ?? (await create(["d1", "create", database.name], () => findDatabase(database.name)));
  return { namespaceId, databaseId };
}

/** Ids of what the Worker is bound to. */
export interface Ids {
  namespaceId: string;
  databaseId: string;
}

async function create(args: string[], find: () => Promise<string | undefined>): Promise<string> {
  await wrangler(args);
  const id = await find();
  if (id === undefined)
    throw new Error(`${args.at(-1)} was created but is not listed; run the command again`);
  return id;
}

async function findNamespace(title: string): Promise<string | undefined> {
  const all = await wranglerJson<{ id: string; title: string }[]>(["kv", "namespace", "list"]);
  return all.find((namespace) => namespace.title === title)?.id;
}

async function findDatabase(name: string): Promise<string | undefined> {
  const all = await wranglerJson<{ uuid: string; name: string }[]>(["d1", "list", "--json"]);
  return all.find((database) => database.name === name)?.uuid;
}

/**
 * Names of the secrets the Worker has; none where there is no such Worker yet.
 * @throws WranglerError for any other refusal: taking it for "none" would replace secrets that keys depend on
 */
export async function secretsOf(config: string): Promise<Set<string>> {
  try {
    const all = await wranglerJson<{ name: string }[]>(["secret", "list", "--config", config]);
    return new Set(all.map(({ name }) => name));
  } catch (error) {
    if (error instanceof WranglerError && /Worker "[^"]*".* not found/.test(error.output)) return new Set();
    throw error;
  }
}

/** Ids of the Worker's versions that serve now; none where it has never been deployed. Only reads. */
export async function servingVersions(config: string): Promise<string[]> {
  try {
    const { versions } = await wranglerJson<{ versions: { version_id: string }[] }>([
      "deployments",
      "status",
      "--json",
      "--config",
      config,
    ]);
    return versions.map(({ version_id }) => version_id);
  } catch (error) {
    // Only saves a deployment that would change nothing: not knowing costs one.
    if (error instanceof WranglerError) return [];
    throw error;
  }
}

/** Names of the migrations the database has. Only reads. */
export async function appliedMigrations(config: string): Promise<Set<string>> {
  const sql = "SELECT name FROM d1_migrations";
  const args = ["d1", "execute", "DB", "--remote", "--json", "--config", config, "--command", sql];
  try {
    const [answer] = await wranglerJson<{ results: { name: string }[] }[]>(args);
    return new Set(answer?.results.map(({ name }) => name));
  } catch (error) {
    if (error instanceof WranglerError && error.output.includes("no such table")) return new Set();
    throw error;
  }
}
