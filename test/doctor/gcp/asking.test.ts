import { describe, expect, it } from "vitest";
import { examine } from "./check-up.ts";
import { errorText } from "./fake-google.ts";
import { gate } from "../../emulators/gate.ts";
import { GoogleApi, type Requester } from "../../../src/cli/doctor/gcp/google/google-api.ts";
import type { Look } from "../../../src/cli/doctor/gcp/google/look.ts";
import { healthy, paths } from "./world.ts";

const look = (path: string, body?: object): Look => ({
  api: "run",
  path,
  what: path,
  permission: "run.services.get",
  grant: () => "",
  create: [],
  ...(body === undefined ? {} : { body }),
});

function apiOf(client: Requester): GoogleApi {
  const endpoints = { run: "http://run" } as ConstructorParameters<typeof GoogleApi>[0]["endpoints"];
  return new GoogleApi({ client, endpoints, timeoutMs: 1000, longestPauseMs: 1, signal: new AbortController().signal });
}

describe("asking Google's APIs", () => {
  it("goes a few at a time, and the same question only once", async () => {
    let [running, most, asked] = [0, 0, 0];
    const { opened, open } = gate();
    const api = apiOf({
      getAccessToken: () => Promise.resolve({}),
      request: async () => {
        asked += 1;
        running += 1;
        most = Math.max(most, running);
        await opened;
        running -= 1;
        return { status: 200, data: "{}" };
      },
    });
    const questions = Array.from({ length: 20 }, (_, i) => `/${i}`);
    const answers = [...questions, ...questions].map((path) => api.ask(look(path)));
    open();
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(answers.map(() => "found"));
    expect({ most, asked }).toEqual({ most: 4, asked: 20 });
  });

  it.each([
    [429, 3],
    [503, 3],
    [403, 1],
    [404, 1],
  ])("repeats a GET as the library does: %i is asked %i times", async (status, times) => {
    const world = healthy("bigtable");
    world.faults[paths.table] = { status, text: errorText(status, "SOME", "text") };
    const { google } = await examine({ world });
    expect(google.requests.filter((one) => one === `GET ${paths.table}`)).toHaveLength(times);
  });

  it("sends a POST once", async () => {
    const world = healthy("bigtable");
    world.faults[`${paths.table}:testIamPermissions`] = { status: 503, text: errorText(503, "UNAVAILABLE", "text") };
    const { google } = await examine({ world });
    expect(google.requests.filter((one) => one === `POST ${paths.table}:testIamPermissions`)).toHaveLength(1);
  });

  it("stops when it is told to", async () => {
    const world = healthy("bigtable");
    world.token = "hang";
    const stop = new AbortController();
    const examined = examine({ world, signal: stop.signal });
    stop.abort();
    await expect(examined).rejects.toThrow("aborted");
  });
});
