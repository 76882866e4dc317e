import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import type { Certificate } from "./certificate.ts";

/**
 * TLS in front of a gateway, as in production: kube-apiserver takes no issuer over plain http. Its port is
 * known before the gateway starts, which therefore can name it as PUBLIC_URL.
 */
export class TlsFront {
  readonly url: string;
  /** Port of the gateway behind it. */
  behind = 0;
  readonly #server: tls.Server;

  private constructor(server: tls.Server) {
    this.#server = server;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start({ key, cert }: Certificate): Promise<TlsFront> {
    const server = tls.createServer({ key, cert }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const front = new TlsFront(server);
    server.on("tlsClientError", () => {});
    server.on("secureConnection", (client) => {
      const upstream = net.connect(front.behind, "127.0.0.1");
      client.pipe(upstream).pipe(client);
      client.on("error", () => upstream.destroy());
      upstream.on("error", () => client.destroy());
    });
    return front;
  }

  async stop(): Promise<void> {
    this.#server.close();
  }
}
