import { afterEach, describe, expect, it } from "vitest";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import { loadConfig } from "./config.ts";

const loopback = { host: "127.0.0.1", port: 0 };
let served: ServedDouble | undefined;

afterEach(async () => {
  await served?.server.close(0);
  served = undefined;
});

async function serve(): Promise<{ readonly served: ServedDouble; readonly metrics: string }> {
  served = await serveDouble({}, { metricsListen: loopback, auth: "token", credentials: [] });
  return { served, metrics: `http://${served.server.metricsAddress ?? ""}` };
}

describe("the port of metrics", () => {
  it("gives them to whoever is on this machine, without a token", async () => {
    const { metrics } = await serve();
    const response = await fetch(`${metrics}/metrics`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toMatch(/^tape_engine_commits_total 7$/m);
    expect(text).toMatch(/^tape_ready 1$/m);
  });

  it("tells of a store that does not answer", async () => {
    const { served: double, metrics } = await serve();
    double.ping.mockRejectedValue(new Error("away"));
    expect(await (await fetch(`${metrics}/metrics`)).text()).toMatch(/^tape_ready 0$/m);
  });

  it("gives nothing else, and takes no calls", async () => {
    const { metrics } = await serve();
    const statuses = await Promise.all([
      fetch(`${metrics}/readyz`).then(({ status }) => status),
      fetch(`${metrics}/tape.v1.Tape/BeginRun`, { method: "POST" }).then(({ status }) => status),
      fetch(`${metrics}/metrics`, { method: "POST" }).then(({ status }) => status),
    ]);
    expect(statuses).toEqual([404, 404, 405]);
  });

  it("is closed with the server", async () => {
    const { served: double, metrics } = await serve();
    await double.server.close();
    await expect(fetch(`${metrics}/metrics`)).rejects.toThrow("fetch failed");
  });

  it("is not there unless asked for", async () => {
    served = await serveDouble({});
    expect(served.server.metricsAddress).toBeNull();
  });

  it.each(["0.0.0.0:9464", "10.0.0.5:9464", "[::]:9464"])("is refused on %s, which others can reach", (listen) => {
    expect(() => loadConfig({}, { TAPE_METRICS_LISTEN: listen }, false)).toThrow(
      `TAPE_METRICS_LISTEN: ${listen} can be reached by others`,
    );
  });
});
