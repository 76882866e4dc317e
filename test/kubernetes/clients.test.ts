import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import type { JWTPayload } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestKey } from "../harness/gateway.ts";
import { privateJwk } from "../signing/keys.ts";
import { ApiServer, NAMESPACE } from "./api-server.ts";
import { makeCertificate } from "./certificate.ts";
import { AUDIENCE, type KubernetesWorld, MINE, pathOf, startKubernetesWorld } from "./world.ts";

/** What a program says of its version, or null where there is no such program. */
function versionOf(program: string, ...args: string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return null;
  }
}

// KUBECTL names another kubectl than the one on the PATH.
const KUBECTL = process.env.KUBECTL ?? "kubectl";
const kubectlVersion = versionOf(KUBECTL, "version", "--client");
const kubectlMinor = Number(/(?:v1\.|Minor:")(\d+)/.exec(kubectlVersion ?? "")?.[1] ?? 0);
const hasCurl = versionOf("curl", "--version") !== null;
/** Every sh there is here: what is POSIX in one may be missing in another. */
const SHELLS = [
  ["dash"],
  ["bash", "--norc", "--posix"],
  ["busybox", "sh"],
  ["mksh"],
  ["zsh", "--emulate", "sh"],
].filter(([program = "", ...args]) => versionOf(program, ...args, "-c", "echo yes") !== null);

const REVOKED = "Missing, invalid, revoked, or expired API key";

let world: KubernetesWorld;
let api: ApiServer;
let home: string;
let environment: NodeJS.ProcessEnv;
let HOLDER: TestKey;

beforeAll(async () => {
  world = await startKubernetesWorld([await privateJwk("es-1")]);
  api = await ApiServer.start({
    certificate: world.certificate,
    issuer: world.publicUrl,
    issuerAuthority: world.certificate.cert,
    audience: AUDIENCE,
    boundGroup: `postern:namespace:${MINE}`,
  });
  await world.createNamespace({ id: MINE, account_id: "acme", name: NAMESPACE, server: api.url });
  HOLDER = await holder();
  home = await mkdtemp(join(tmpdir(), "postern-kube-"));
  await writeFile(join(home, "ca.pem"), world.certificate.cert);
  environment = {
    PATH: process.env.PATH,
    HOME: home,
    // The gateway's authority, as far as curl is concerned; kubectl gets the cluster's from the kubeconfig.
    CURL_CA_BUNDLE: join(home, "ca.pem"),
    NO_PROXY: "127.0.0.1",
  };
});
afterAll(async () => {
  await api?.stop();
  await world?.stop();
  if (home !== undefined) await rm(home, { recursive: true });
});
beforeEach(() => api.clear());

const holder = (expires_at: number | null = null) =>
  world.gateway.createKey({ expires_at, permissions: { kubernetes_exec: { namespace_ids: [MINE] } } });

const kubeconfigOf = async (version: string, key = HOLDER) =>
  (await world.gateway.call(`${pathOf(MINE, "kubeconfig")}?apiVersion=${version}`, { headers: key.bearer }))
    .text;

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program; never through this process' own event loop, which serves the fake API server. */
function run(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((done) => {
    execFile(program, args, { env, timeout: 15_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ code, stdout, stderr });
    });
  });
}

/** A key whose tokens live three or four seconds, as it does itself until it is changed. */
const shortLived = () => holder(Math.floor(Date.now() / 1000) * 1000 + 4_000);

/** Waits until a token has just expired. */
const expiry = ({ exp = 0 }: JWTPayload) =>
  new Promise((done) => setTimeout(done, exp * 1000 - Date.now() + 100));

const versions = ["v1beta1", "v1"].filter((version) => version === "v1beta1" || kubectlMinor >= 22);
const why =
  kubectlVersion === null ? " (SKIPPED: there is no kubectl here)" : hasCurl ? "" : " (SKIPPED: no curl)";

describe.skipIf(why !== "").each(versions)(
  `kubectl${kubectlMinor === 0 ? "" : ` 1.${kubectlMinor}`}, %s${why}`,
  (version) => {
    const kubectl = async (env: NodeJS.ProcessEnv, ...args: string[]) => {
      const config = join(home, `kubeconfig-${version}`);
      await writeFile(config, await kubeconfigOf(version));
      // A cache of its own each time: a new machine asks for everything.
      const cache = await mkdtemp(join(home, "cache-"));
      return run(KUBECTL, ["--kubeconfig", config, "--cache-dir", cache, ...args], {
        ...environment,
        ...env,
      });
    };

    it("lists pods with a key from the environment", async () => {
      const { code, stdout, stderr } = await kubectl(
        { POSTERN_API_KEY: HOLDER.key },
        "get",
        "pods",
        "-o",
        "name",
      );
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "pod/web-0\n", stderr: "" });
      expect(api.asked.filter(({ refused }) => refused !== null)).toEqual([]);
      expect(api.asked.at(-1)?.claims).toMatchObject({
        sub: `postern:key:${HOLDER.id}`,
        groups: [`postern:namespace:${MINE}`, "postern:account:acme"],
      });
      // One token for all that one command asks.
      expect(api.tokens).toHaveLength(1);
    });

    it("lists pods with a key from a file", async () => {
      const file = join(home, "key file");
      await writeFile(file, HOLDER.key);
      const { code, stdout } = await kubectl({ POSTERN_API_KEY_FILE: file }, "get", "pods", "-o", "name");
      expect({ code, stdout }).toEqual({ code: 0, stdout: "pod/web-0\n" });
    });

    it("gets a new token when the old one has expired", async () => {
      const key = await shortLived();
      api.hold = async (claims) => claims !== null && claims.jti === api.tokens[0] && expiry(claims);
      const running = kubectl({ POSTERN_API_KEY: key.key }, "get", "pods", "-o", "name");
      await expect.poll(() => api.tokens.length, { timeout: 10_000, interval: 20 }).toBe(1);
      await world.gateway.changeKey(key.id, { expires_at: null });
      const { code, stdout } = await running;
      expect({ code, stdout }).toEqual({ code: 0, stdout: "pod/web-0\n" });
      expect(api.tokens).toHaveLength(2);
      expect(api.asked.filter(({ refused }) => refused !== null)).toEqual([]);
    });

    it("fails with the reason once the key is revoked", async () => {
      const key = await holder();
      expect((await kubectl({ POSTERN_API_KEY: key.key }, "get", "pods")).code).toBe(0);
      api.clear();
      await world.gateway.changeKey(key.id, { revoked_at: Date.now() });
      const { code, stdout, stderr } = await kubectl({ POSTERN_API_KEY: key.key }, "get", "pods");
      expect(code).not.toBe(0);
      expect(stdout).toBe("");
      expect(stderr).toContain(`postern: ${REVOKED}`);
      expect(api.asked).toEqual([]);
    });
  },
);

describe.skipIf(!hasCurl)(`@kubernetes/client-node${hasCurl ? "" : " (SKIPPED: no curl)"}`, () => {
  async function client(key: TestKey): Promise<CoreV1Api> {
    const config = new KubeConfig();
    config.loadFromString(await kubeconfigOf("v1"));
    // It runs the plugin in this process' environment and remembers tokens by the user's name.
    const { exec } = config.users[0]!;
    exec.env = Object.entries({ ...environment, POSTERN_API_KEY: key.key }).map(([name, value]) => ({
      name,
      value,
    }));
    return config.makeApiClient(CoreV1Api);
  }
  const podsOf = async (core: CoreV1Api) =>
    (await core.listNamespacedPod({ namespace: NAMESPACE })).items.map(({ metadata }) => metadata?.name);

  it("lists pods, with one token for all it asks", async () => {
    const core = await client(HOLDER);
    expect(await podsOf(core)).toEqual(["web-0"]);
    expect(await podsOf(core)).toEqual(["web-0"]);
    expect(api.tokens).toHaveLength(1);
    expect(api.asked.every(({ refused }) => refused === null)).toBe(true);
  });

  it("gets a new token when the old one has expired, and the reason once the key is revoked", async () => {
    const key = await shortLived();
    const core = await client(key);
    expect(await podsOf(core)).toEqual(["web-0"]);
    await world.gateway.changeKey(key.id, { expires_at: null });
    await expiry(api.asked[0]!.claims!);
    expect(await podsOf(core)).toEqual(["web-0"]);
    expect(api.tokens).toHaveLength(2);
    await world.gateway.changeKey(key.id, { revoked_at: Date.now() });
    const again = await client(key);
    // Another client of the same kubeconfig: nothing remembered.
    await expect(podsOf(again)).rejects.toThrow(REVOKED);
  });
});

describe.skipIf(!hasCurl).each(SHELLS.map((shell) => [shell.join(" "), shell] as const))(
  "the exec plugin under %s",
  (_, shell) => {
    const plugin = async (env: NodeJS.ProcessEnv, change: (args: string[]) => string[] = (args) => args) => {
      const config = new KubeConfig();
      config.loadFromString(await kubeconfigOf("v1"));
      const [program, ...options] = shell as string[];
      return run(program!, [...options, ...change(config.users[0]!.exec.args)], { ...environment, ...env });
    };

    it("prints an ExecCredential and nothing else", async () => {
      const { code, stdout, stderr } = await plugin({ POSTERN_API_KEY: HOLDER.key });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ apiVersion: "client.authentication.k8s.io/v1" });
    });

    it("gives the version that the client asks for", async () => {
      for (const version of ["v1", "v1beta1"]) {
        const apiVersion = `client.authentication.k8s.io/${version}`;
        const info = JSON.stringify({ kind: "ExecCredential", apiVersion, spec: { interactive: false } });
        const { stdout } = await plugin({ POSTERN_API_KEY: HOLDER.key, KUBERNETES_EXEC_INFO: info });
        expect(JSON.parse(stdout).apiVersion).toBe(apiVersion);
      }
    });

    it("finds the key in ~/.postern/key, with or without a line's end", async () => {
      for (const end of ["", "\n", " \n\nmore\n"]) {
        const own = await mkdtemp(join(home, "home-"));
        execFileSync("mkdir", [join(own, ".postern")]);
        await writeFile(join(own, ".postern", "key"), HOLDER.key + end);
        expect((await plugin({ HOME: own })).code).toBe(0);
      }
    });

    it.each<[string, () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>, string]>([
      [
        "no key",
        () => ({}),
        "postern: no API key: set POSTERN_API_KEY, or put the key into HOME/.postern/key\n",
      ],
      [
        "no HOME",
        () => ({ HOME: undefined }),
        "postern: no API key: set POSTERN_API_KEY, or put the key into /.postern/key\n",
      ],
      ["an empty file", () => ({ POSTERN_API_KEY_FILE: "/dev/null" }), "postern: no API key in /dev/null\n"],
      ["an unknown key", () => ({ POSTERN_API_KEY: world.gateway.strayKey() }), `postern: ${REVOKED}\n`],
      [
        "a key without the namespace",
        async () => ({ POSTERN_API_KEY: (await world.gateway.createKey()).key }),
        `postern: This API key needs kubernetes_exec access on namespace ${MINE}\n`,
      ],
      [
        "a key that would end its quotes",
        () => ({ POSTERN_API_KEY: 'x"\noutput = "/tmp/postern-was-here' }),
        "postern: the API key holds a character that no Postern key has\n",
      ],
    ])("%s: the reason on stderr, nothing on stdout, exit 1", async (_name, env, message) => {
      const { code, stdout, stderr } = await plugin(await env());
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toBe(message.replace("HOME", home));
    });

    it("a gateway that is away, or is none: exit 1, nothing on stdout", async () => {
      const at = (url: string) => (args: string[]) => [...args.slice(0, 3), url, "v1"];
      const away = await plugin({ POSTERN_API_KEY: HOLDER.key }, at("https://127.0.0.1:1/x"));
      expect({ code: away.code, stdout: away.stdout }).toEqual({ code: 1, stdout: "" });
      expect(away.stderr).toContain("postern: the gateway could not be asked");
      const other = await plugin({ POSTERN_API_KEY: HOLDER.key }, at(`${api.url}/version`));
      expect({ code: other.code, stdout: other.stdout }).toEqual({ code: 1, stdout: "" });
      expect(other.stderr).toBe("postern: the gateway answered 401\n");
    });

    it("needs no other program, and shows the key to none", async () => {
      const bin = await mkdtemp(join(home, "bin-"));
      const seen = join(bin, "seen");
      const curl = execFileSync("sh", ["-c", "command -v curl"], { encoding: "utf8" }).trim();
      const program = execFileSync("sh", ["-c", `command -v ${shell[0]}`], { encoding: "utf8" }).trim();
      // Stands in for curl: notes its arguments and environment, then becomes it.
      await writeFile(
        join(bin, "curl"),
        `#!${process.execPath}
        const { writeFileSync, readFileSync } = require("node:fs");
        const { spawnSync } = require("node:child_process");
        writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.argv));
        const { status } = spawnSync(${JSON.stringify(curl)}, process.argv.slice(2), { stdio: "inherit" });
        process.exit(status);
      `,
        { mode: 0o755 },
      );
      const file = join(bin, "key");
      await writeFile(file, HOLDER.key);
      const config = new KubeConfig();
      config.loadFromString(await kubeconfigOf("v1"));
      const { args } = config.users[0]!.exec;
      const { code, stderr } = await run(program, [...shell.slice(1), ...args], {
        ...environment,
        PATH: bin,
        POSTERN_API_KEY_FILE: file,
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const argv = await readFile(seen, "utf8");
      expect(argv).toContain("--config");
      expect(argv).not.toContain(HOLDER.key.slice(0, 20));
    });
  },
);

describe("a cluster refuses (K08)", () => {
  const token = async (key = HOLDER): Promise<string> =>
    (await world.gateway.call(pathOf(MINE, "exec-credential"), { method: "POST", headers: key.bearer })).json
      .status.token;
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`;
  const ask = async (server: ApiServer, bearer: string) =>
    (await server.answer(pods, `Bearer ${bearer}`)).status;

  it("a token of another cluster's audience", async () => {
    const other = await ApiServer.start({
      certificate: makeCertificate(),
      issuer: world.publicUrl,
      issuerAuthority: world.certificate.cert,
      audience: "https://another.test",
      boundGroup: `postern:namespace:${MINE}`,
    });
    expect(await ask(api, await token())).toBe(200);
    expect(await ask(other, await token())).toBe(401);
    await other.stop();
  });

  it("a token whose algorithm is none, whose kid is another's, or that was changed", async () => {
    const good = await token();
    const [header = "", payload = "", signature = ""] = good.split(".");
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const admin = part({ ...claims, groups: ["system:masters"] });
    for (const forged of [
      `${part({ alg: "none" })}.${payload}.`,
      `${part({ alg: "none", kid: "es-1" })}.${payload}.${signature}`,
      `${part({ alg: "ES256", kid: "other" })}.${payload}.${signature}`,
      `${header}.${admin}.${signature}`,
      world.gateway.secrets[0]!,
    ]) {
      expect(await ask(api, forged)).toBe(401);
    }
    expect(await ask(api, good)).toBe(200);
  });

  it("a token for another namespace, by its binding", async () => {
    const id = "6f1c2d3e-0000-4000-8000-0000000000ee";
    await world.createNamespace({ id, account_id: "acme", name: "team-b", server: api.url });
    const key = await world.gateway.createKey({ permissions: { kubernetes_exec: { namespace_ids: [id] } } });
    const answer = await world.gateway.call(pathOf(id, "exec-credential"), { headers: key.bearer });
    expect(await ask(api, answer.json.status.token)).toBe(403);
  });
});
