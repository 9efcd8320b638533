import { createServer, type Server } from "node:http";
import type { ListenAddress } from "./config-values.ts";
import { Port } from "./port.ts";

/* Metrics where nobody needs a token. Scrapers that run beside a server on the same machine often cannot send one: the
   sidecar of Managed Prometheus on Cloud Run has no setting for it. The configuration allows loopback only. */

const silenceMs = 10_000;
// A scraper, and a person who looks.
const maxConnections = 16;

/** Opens the port, if there is to be one. Errors: CONFIG_INVALID when it cannot be had. */
export async function openMetricsPort(listen: ListenAddress | null): Promise<Port | null> {
  return listen === null ? null : await Port.open({ listen, tls: null, maxConnections, silenceMs });
}

/** Closes it at once: a scraper that waits for its answer asks again. */
export async function closeMetricsPort(port: Port | null): Promise<void> {
  const gone = port?.close();
  port?.destroy();
  await gone;
}

/** Serves `/metrics` there, and nothing else. */
export function serveMetrics(port: Port, metrics: () => Promise<string>): Server {
  const server = createServer((request, response) => {
    request.resume();
    const reply = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(text);
    };
    if (request.url?.split("?", 1)[0] !== "/metrics") reply(404, "only /metrics is here\n");
    else if (request.method !== "GET") reply(405, "only GET\n");
    else
      metrics().then(
        (text) => reply(200, text),
        () => reply(500, "no metrics now\n"),
      );
  });
  port.accept({
    http1: (socket) => void server.emit("connection", socket),
    http2: (socket) => void socket.destroy(),
  });
  return server;
}
