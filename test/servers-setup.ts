import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { EmulatorDesk } from "./emulators/emulator-desk.ts";
import { ServerDesk } from "./postgres/server-desk.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where test processes ask for the servers that a run shares. */
    readonly sharedServers: string;
  }
}

/**
 * Offers all tests of a run one PostgreSQL, one of another version, one PgBouncer and an emulator each of Bigtable and
 * Spanner. A server starts when the first test asks for it, so that a run without such tests pays nothing; the question comes by HTTP, because each test file
 * has a process of its own. Gives back what ends the servers.
 */
export default async function offerServerDesk(project: TestProject): Promise<() => Promise<void>> {
  const servers = new ServerDesk();
  const emulators = new EmulatorDesk();
  const desk = createServer((request, response) => {
    const kind = request.url?.slice(1) ?? "";
    void answer(response, kind === "bigtable" || kind === "spanner" ? emulators.get(kind) : servers.get(kind));
  });
  desk.listen(0, "127.0.0.1");
  await once(desk, "listening");
  const { port } = desk.address() as AddressInfo;
  project.provide("sharedServers", `http://127.0.0.1:${port}`);
  return async () => {
    desk.close();
    desk.closeAllConnections();
    await Promise.all([servers.close(), emulators.close()]);
  };
}

async function answer(response: ServerResponse, server: Promise<unknown>): Promise<void> {
  try {
    response.end(JSON.stringify(await server));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
}
