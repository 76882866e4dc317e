import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { portWithTwoAbove } from "../harness/free-ports.ts";
import { call } from "../harness/http.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** `npm start` as somebody at a terminal runs it. */
class Running {
  readonly output: string[] = [];
  readonly url: string;
  readonly #npm: ChildProcess;

  private constructor(npm: ChildProcess, port: number) {
    this.#npm = npm;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(stateDir: string, port: number): Promise<Running> {
    const npm = spawn("npm", ["start"], {
      cwd: ROOT,
      env: environment(stateDir, { PORT: String(port) }),
      stdio: ["ignore", "pipe", "inherit"],
      detached: true, // a process group of its own, as a shell gives it
    });
    const running = new Running(npm, port);
    const ready = Promise.withResolvers<void>();
    createInterface({ input: npm.stdout! }).on("line", (line) => {
      running.output.push(line);
      if (line === `Postern is ready on ${running.url}`) ready.resolve();
    });
    npm.on("exit", () => ready.reject(new Error(`npm start ended:\n${running.output.join("\n")}`)));
    await ready.promise;
    return running;
  }

  /** Each printed command, with the status that it announces. */
  get commands(): { status: number; what: string; command: string }[] {
    return this.output.flatMap((line, i) => {
      const [, status, what] = /^(\d{3}): (.+)$/.exec(line) ?? [];
      return status === undefined
        ? []
        : [{ status: Number(status), what: what!, command: this.output[i + 1]!.trim() }];
    });
  }

  /** The printed key of a name. */
  key(name: string): string {
    const line = this.output.find((text) => text.startsWith(`  ${name} `));
    return line!.trim().split(/\s+/).at(-1)!;
  }

  /** Ctrl-C: the whole process group hears it. @returns the exit code */
  async interrupt(): Promise<number | null> {
    const exited = once(this.#npm, "exit");
    process.kill(-this.#npm.pid!, "SIGINT");
    return (await exited)[0];
  }

  /** Kills npm alone, which cannot tell its child. */
  async killNpm(): Promise<void> {
    const exited = once(this.#npm, "exit");
    this.#npm.kill("SIGKILL");
    await exited;
  }

  /** Process ids of everything that `npm start` has running. */
  async processes(): Promise<number[]> {
    const parents = new Map<number, number>();
    for (const name of await readdir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const text = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
      parents.set(Number(name), Number(text.slice(text.lastIndexOf(")")).split(" ")[2]));
    }
    const found = [this.#npm.pid!];
    for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
    return found;
  }
}

function environment(stateDir: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { VITEST: _, NODE_ENV: __, ...rest } = process.env;
  return { ...rest, POSTERN_STATE_DIR: stateDir, ...more };
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function token(stateDir: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("npm", ["run", "--silent", "token", "--", ...args], {
    cwd: ROOT,
    env: environment(stateDir),
  });
  return stdout;
}

describe("npm start (spec 12)", { timeout: 60_000 }, () => {
  let stateDir: string;
  let port: number;
  let gateway: Running;

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "postern-start-"));
    port = await portWithTwoAbove();
    gateway = await Running.start(stateDir, port);
  }, 60_000);
  afterAll(async () => {
    if (gateway !== undefined && (await gateway.processes()).some(alive)) await gateway.interrupt();
    await rm(stateDir, { recursive: true, force: true });
  }, 60_000);

  it("prints commands that show a 200, a 403 and a 401, and they answer as printed", async () => {
    expect(new Set(gateway.commands.map(({ status }) => status))).toEqual(new Set([200, 403, 401]));
    for (const { status, what, command } of gateway.commands) {
      expect(command).toMatch(/^curl -i /);
      const { stdout } = await run("sh", ["-c", command]);
      expect([what, stdout.split("\r\n", 1)[0]]).toEqual([what, expect.stringMatching(` ${status} `)]);
    }
  });

  it("says where the API is described, and logs nothing of how the demo was set up", async () => {
    expect(gateway.output).toContain(`Every route is described at ${gateway.url}/docs`);
    expect((await call(gateway.url, "/docs", {})).status).toBe(200);
    expect(gateway.output.filter((line) => line.includes("/admin/"))).toEqual([]);
  });

  it("has a demo account with one key of each kind", async () => {
    const status = async (name: string, path: string) =>
      (await call(gateway.url, path, { headers: { authorization: `Bearer ${gateway.key(name)}` } })).status;
    expect(await status("Full access", "/v2/llm/models")).toBe(200);
    expect(await status("Inference", "/v2/jobs/health")).toBe(200);
    expect(await status("Restricted", "/v2/llm/models")).toBe(200);
    expect(await status("Restricted", "/v2/jobs/health")).toBe(403);
    expect(await status("Test environment", "/v2/llm/models")).toBe(200);
    expect(await status("Test environment", "/v2/jobs/health")).toBe(403);
    expect(await status("Kubernetes", "/v2/llm/models")).toBe(403);
    expect(await status("Disabled", "/v2/llm/models")).toBe(401);
    expect(await status("Expires soon", "/v2/llm/models")).toBe(200);
    expect(await status("Legacy", "/v2/llm/models")).toBe(200);
    expect(await status("Legacy", "/graphql?query={pods{id}}")).toBe(200);
  });

  it("the printed link signs in to the console", async () => {
    const link = gateway.output.map((line) => /^Console, signed in: (\S+)$/.exec(line)?.[1]).find(Boolean);
    expect(link).toMatch(new RegExp(`^${gateway.url}/console/`));
    const exchanged = await fetch(link!, { redirect: "manual" });
    expect(exchanged.status).toBe(303);
    const cookie = exchanged.headers.get("set-cookie")!.split(";")[0]!;
    const page = await (await fetch(`${gateway.url}/console`, { headers: { cookie } })).text();
    for (const text of ["<h1>API keys</h1>", "Full access", "Demo"]) expect(page).toContain(text);
  });

  it("npm run --silent token prints a session token and nothing else", async () => {
    const printed = await token(stateDir, "--account", "demo");
    expect(printed).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    for (const wrong of [
      [],
      ["--account", "a/b"],
      ["--email", "somebody"],
      ["--account", "a", "--account", "b"],
    ]) {
      await expect(token(stateDir, ...wrong)).rejects.toMatchObject({ code: 2, stdout: "" });
    }
    expect(await token(stateDir, "--help")).toMatch(/^Usage: /);
  });

  it("a key made with such a session works, shows its last use, and stops when told", async () => {
    const session = { authorization: `Bearer ${(await token(stateDir, "--account", "demo")).trim()}` };
    const manage = (method: string, path: string, body?: object) =>
      call(gateway.url, `/v1/account/api-keys${path}`, { method, headers: session, body });
    const created = await manage("POST", "", { name: "made by a test", scopes: { read_only: true } });
    expect(created.status).toBe(201);
    const { id, key } = created.json;
    const models = () => call(gateway.url, "/v2/llm/models", { headers: { "x-api-key": key } });
    const eventually = { timeout: 5000, interval: 50 };

    const before = Math.floor(Date.now() / 1000) * 1000;
    expect((await models()).status).toBe(200);
    const shown = async () => Date.parse((await manage("GET", `/${id}`)).json.last_used_at ?? "");
    await expect.poll(shown, eventually).toBeGreaterThanOrEqual(before);

    expect((await manage("PATCH", `/${id}`, { enabled: false })).status).toBe(200);
    await expect.poll(async () => (await models()).status, eventually).toBe(401);
    expect((await manage("PATCH", `/${id}`, { enabled: true })).status).toBe(200);
    await expect.poll(async () => (await models()).status, eventually).toBe(200);
    expect((await manage("POST", `/${id}/revoke`)).status).toBe(200);
    await expect.poll(async () => (await models()).status, eventually).toBe(401);
    expect((await manage("PATCH", `/${id}`, { enabled: true })).status).toBe(409);
  });

  it("takes changes to the demo's own keys", async () => {
    const headers = {
      authorization: `Bearer ${(await token(stateDir, "--account", "demo", "--admin")).trim()}`,
    };
    const find = async (name: string) => {
      const q = encodeURIComponent(gateway.key(name));
      return (await call(gateway.url, `/admin/keys?q=${q}`, { headers })).json.data[0].id as string;
    };
    const revoked = await find("Read only");
    const revoke = `/admin/keys/${revoked}/revoke`;
    expect((await call(gateway.url, revoke, { method: "POST", headers })).status).toBe(200);
    const edit = { method: "PATCH", headers, body: { scopes: { read_only: true } } };
    const edited = await find("Inference");
    expect((await call(gateway.url, `/v1/account/api-keys/${edited}`, edit)).status).toBe(200);
  });

  it("keeps its secrets for their owner alone", async () => {
    const { mode } = await stat(join(stateDir, "local-secrets.json"));
    expect(mode & 0o777).toBe(0o600);
  });

  it("stops cleanly on SIGINT and leaves nothing running", async () => {
    const processes = await gateway.processes();
    expect(processes.length).toBeGreaterThanOrEqual(3); // npm, node, workerd
    expect(await gateway.interrupt()).toBe(0);
    await expect.poll(() => processes.filter(alive), { timeout: 10_000 }).toEqual([]);
  });

  it("started again, has the same keys and what became of them", async () => {
    const { output } = gateway;
    gateway = await Running.start(stateDir, port);
    const keys = (lines: string[]) => lines.filter((line) => /^ {2}\S.* \S{20,}$/.test(line));
    expect(keys(gateway.output)).toEqual(keys(output));
    const below = (name: string) =>
      gateway.output[gateway.output.findIndex((line) => line.startsWith(`  ${name} `)) + 1];
    expect(below("Full access")).toBe("    everything, on every endpoint");
    expect(below("Read only")).toMatch(/^ {4}now revoked; /);
    expect(below("Inference")).toMatch(/^ {4}now edited; /);
    const begin = `stop this, then rm -rf ${join(stateDir, "state", String(port))}`;
    expect(gateway.output.filter((line) => line.includes(begin))).toHaveLength(1);
    expect(gateway.commands.map(({ status }) => status)).toEqual([200, 401, 401, 401, 401, 401, 200]);
    for (const { status, what, command } of gateway.commands) {
      const { stdout } = await run("sh", ["-c", command]);
      expect([what, stdout.split("\r\n", 1)[0]]).toEqual([what, expect.stringMatching(` ${status} `)]);
    }
    const session = { authorization: `Bearer ${(await token(stateDir, "--account", "demo")).trim()}` };
    const { json } = await call(gateway.url, "/v1/account/api-keys?q=made", { headers: session });
    expect(json.data).toMatchObject([{ name: "made by a test", status: "revoked" }]);
  });

  /** `npm start` where it cannot: what it says, after it ended with code 1. */
  async function refusal(directory: string, more: Record<string, string>): Promise<string> {
    const start = run("npm", ["start"], { cwd: ROOT, env: environment(directory, more) });
    const { code, stdout, stderr } = await start.then(
      () => Promise.reject(new Error("It started")),
      (error) => error,
    );
    expect(code).toBe(1);
    expect(stdout).not.toContain("Postern is ready");
    return stderr;
  }

  it("says what is wrong where it cannot start", async () => {
    const other = join(stateDir, "other");
    expect(await refusal(other, { PORT: String(port) })).toContain(
      `Port ${port} on 127.0.0.1 is already in use`,
    );
    expect(await refusal(other, { PORT: String(port - 1) })).toContain(
      `Port ${port} on 127.0.0.1 is already in use; the two above ${port - 1} are the demo origins'`,
    );
    const PORT = String(await portWithTwoAbove());
    expect(await refusal(stateDir, { PORT: String(port) })).toMatch(
      `already uses ${join(stateDir, "state", String(port))}; stop it, or set another PORT (and POSTERN_STATE_DIR for npm run dev)`,
    );
    expect(await refusal(other, { PORT, KEY_PREFIX: "RPA" })).toContain("Wrong configuration: KEY_PREFIX: ");
    expect(await refusal(join(stateDir, "local-secrets.json"), { PORT })).toContain("Cannot keep state in ");
    expect(await refusal(other, { PORT, SESSION_ISSUER: "" })).toContain("The demo could not be set up: ");
  });

  it("leaves nothing running where npm itself is killed", async () => {
    const processes = await gateway.processes();
    await gateway.killNpm();
    await expect.poll(() => processes.filter(alive), { timeout: 15_000 }).toEqual([]);
  });
});
