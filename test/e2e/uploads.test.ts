import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";

/** What an exchange may outlast its key by (spec 8), and what a busy machine adds, in ms. */
const PROMISED = 15_000;
const SLACK = 5000;

let gateway: TestGateway;
let origin: net.Server;
/** When the origin last received anything. */
let receivedAt = 0;

beforeAll(async () => {
  // Answers at once, with the beginning of a short body, and goes on reading.
  origin = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
    socket.on("data", () => {
      receivedAt = Date.now();
    });
  });
  origin.listen(0, "127.0.0.1");
  await once(origin, "listening");
  gateway = await startTestGateway();
  await gateway.createAccount("acme");
  const { port } = origin.address() as AddressInfo;
  await gateway.createEndpoint({ id: "a", protocol: "http", origin: `http://127.0.0.1:${port}` });
});
afterAll(async () => {
  await gateway?.stop();
  origin?.close();
});

it("an upload ends with its key, although its short answer has begun", async () => {
  const key = await gateway.createKey({ permissions: { inference: "read_write" } });
  const socket = net.connect(gateway.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(
    `POST /v2/a/x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${key.bearer.authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const sending = setInterval(() => socket.write("4\r\nmore\r\n"), 100);
  try {
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain("200 OK");
    await gateway.changeKey(key.id, { revoked_at: Date.now() });
    const revokedAt = Date.now();
    // Nothing has come for two seconds although the client still sends.
    await expect
      .poll(() => Date.now() - receivedAt, { timeout: PROMISED + SLACK, interval: 200 })
      .toBeGreaterThan(2000);
    expect(receivedAt - revokedAt).toBeLessThan(PROMISED);
  } finally {
    clearInterval(sending);
    socket.destroy();
  }
}, 40_000);
