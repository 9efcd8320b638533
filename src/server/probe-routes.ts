import type { Authenticator } from "./authenticator.ts";
import type { NodeRequest, NodeResponse } from "./connect-path.ts";
import { toTapeError, type TapeErrorCode } from "../errors.ts";
import type { Readiness } from "./readiness.ts";

/** What the plain pages of a server show. */
export interface ProbeOptions {
  readonly readiness: Readiness;
  /** The text of `/metrics`. */
  readonly metrics: () => string;
  /** Who may read `/metrics`. */
  readonly authenticateMetrics: Authenticator;
}

interface Page {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

/** `/healthz`, `/readyz` and `/metrics`; says `false` to every other path, which it leaves alone. */
export function serveProbe(options: ProbeOptions, request: NodeRequest, response: NodeResponse): boolean {
  const page = pages.get(request.url?.split("?", 1)[0] ?? "");
  if (page === undefined) return false;
  request.resume();
  void answer(page, options, request).then(({ status, text, type = "text/plain; charset=utf-8" }) => {
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? "" : text);
  });
  return true;
}

async function answer(page: PageMaker, options: ProbeOptions, request: NodeRequest): Promise<Page> {
  if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, text: "only GET and HEAD\n" };
  try {
    return await page(options, request);
  } catch (error) {
    return { status: 500, text: `${toTapeError(error).message}\n` };
  }
}

const statusOfRefusal: Readonly<Partial<Record<TapeErrorCode, number>>> = { PERMISSION_DENIED: 403, UNAVAILABLE: 503 };

type PageMaker = (options: ProbeOptions, request: NodeRequest) => Page | Promise<Page>;

const pages: ReadonlyMap<string, PageMaker> = new Map<string, PageMaker>([
  // Alive: the event loop turned. What is wrong with a store does not get better by a restart.
  ["/healthz", () => ({ status: 200, text: "alive\n" })],
  [
    "/readyz",
    async ({ readiness }) => {
      const { ready, detail } = await readiness.check();
      return { status: ready ? 200 : 503, text: `${ready ? "ready" : "not ready"}: ${detail}\n` };
    },
  ],
  [
    "/metrics",
    async ({ metrics, authenticateMetrics }, request) => {
      try {
        await authenticateMetrics(request.headers.authorization);
      } catch (error) {
        const { code, message } = toTapeError(error);
        return { status: statusOfRefusal[code] ?? 401, text: `${message}\n` };
      }
      return { status: 200, text: metrics(), type: "text/plain; version=0.0.4; charset=utf-8" };
    },
  ],
]);
