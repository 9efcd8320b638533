import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { connectTape } from "../../src/client/connect-tape.ts";
import { TapeError } from "../../src/errors.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import { startServer } from "../../src/server/start-server.ts";
import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { Scene as BigtableScene } from "../bigtable/fixture.ts";
import { describeBigtable, describeSpanner } from "../emulators/shared-emulator.ts";
import { describePostgres, newSchema } from "../postgres/shared-server.ts";
import { audience, LocalIssuer } from "../server/local-issuer.ts";
import { testConfig } from "../server/test-config.ts";
import { canary } from "../secrets.ts";
import { Scene as SpannerScene } from "../spanner/fixture.ts";
import { keepApart } from "./alike.ts";
import { copiedQuestions, intrude } from "./isolation.ts";
import { findLeaks, intruders, settle, type Doors, type Neighbourhood } from "./tenants.ts";

const everyone = ["victim", ...intruders];

async function opened(url: string): Promise<Store> {
  const store = await createStore(url);
  onTestFinished(() => store.close());
  await store.migrate({ dryRun: false });
  return store;
}

async function neighbourhood(store: Store): Promise<Neighbourhood> {
  const place = await settle(store);
  onTestFinished(() => place.engine.close());
  return place;
}

/** Doors in this process. */
const inProcess =
  ({ engine }: Neighbourhood): Doors =>
  (tenant) =>
    engine.tape({ partition: tenant, tenant });

/** Doors by way of a real server, each with a credential of its own. */
async function served(
  { engine }: Neighbourhood,
  auth: Partial<ServerConfig>,
  tokenOf: (tenant: string) => string,
): Promise<Doors> {
  const config = { ...testConfig, maxPending: 1000, maxStreams: 1000, ...auth };
  const server = await startServer({ engine, config, logger: pino({ level: "silent" }) });
  onTestFinished(() => server.close(0));
  const tapes = new Map<string, Tape>();
  for (const tenant of everyone) {
    const tape = connectTape(`tape://${server.address}`, { token: tokenOf(tenant) });
    onTestFinished(() => tape.close());
    tapes.set(tenant, tape);
  }
  return (tenant) => {
    const tape = tapes.get(tenant);
    if (tape === undefined) throw new Error(`${tenant} has no credential`);
    return tape;
  };
}

const tokenOf = (tenant: string): string => canary(`token-${tenant}`);

describe("a tenant learns nothing of another and changes nothing of his, by no RPC", () => {
  it("in memory", async () => {
    const place = await neighbourhood(await opened("memory:"));
    expect(await findLeaks(place, inProcess(place))).toEqual([]);
  });

  it("in a SQLite file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tape-isolation-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const place = await neighbourhood(await opened(`sqlite:${join(folder, "tape.db")}`));
    expect(await findLeaks(place, inProcess(place))).toEqual([]);
  });

  it("through a server with tokens", async () => {
    const place = await neighbourhood(await opened("memory:"));
    const credentials = everyone.map((tenant) => ({ tenant, token: tokenOf(tenant) }));
    expect(await findLeaks(place, await served(place, { auth: "token", credentials }, tokenOf))).toEqual([]);
  });

  it("through a server with ID tokens", async () => {
    const place = await neighbourhood(await opened("memory:"));
    const issuer = await LocalIssuer.open();
    onTestFinished(() => issuer[Symbol.asyncDispose]());
    const rules = everyone.map((tenant) => ({ tenant, scopes: null, subjects: [tenant] }));
    const idTokens = { issuer: issuer.trusted(), audiences: [audience], rules };
    const signed = new Map<string, string>();
    for (const sub of everyone) signed.set(sub, await issuer.sign({ sub }));
    const doors = await served(place, { auth: "jwt", idTokens }, (tenant) => signed.get(tenant) ?? "");
    expect(await findLeaks(place, doors)).toEqual([]);
  });

  it("with page tokens and places in the feed that were the other's", async () => {
    const place = await neighbourhood(await opened("memory:"));
    const doors = inProcess(place);
    const questions = await copiedQuestions(doors("victim"), place.victim);
    const pair = { curious: doors("mallory"), control: doors("nemesis") };
    // Both ask with what is the victim's: what one of them learned, it would be because he may.
    const found = await intrude(
      { curious: { tape: pair.curious, tenant: "mallory" }, control: { tape: pair.control, tenant: "nemesis" } },
      place.victim,
      place.victim,
      questions,
    );
    expect(found).toEqual([]);
    expect(questions.length).toBeGreaterThan(8);
  });
});

describe("a leak is found", () => {
  /** The doors, but for one call that one intruder is given. */
  async function leaking(calls: (own: Tape, victim: Tape) => Partial<Tape>): Promise<readonly string[]> {
    const place = await neighbourhood(await opened("memory:"));
    const doors = inProcess(place);
    return findLeaks(place, (tenant) => {
      const own = doors(tenant);
      return tenant === "victim" ? own : { ...own, ...calls(own, doors("victim")) };
    });
  }

  it("when a call answers from another's rows", async () => {
    const found = await leaking((_own, victim) => ({ getDecision: (...args) => victim.getDecision(...args) }));
    expect(found).toContainEqual("getDecision: a payload of the victim is in the answer");
  });

  it("when an error tells whether something exists", async () => {
    const found = await leaking((own, victim) => ({
      getRun: async (request, options) => {
        const exists = await victim.getRun(request).then(
          () => true,
          () => false,
        );
        if (exists) throw new TapeError("TENANT_NOT_GRANTED", "that run is not yours");
        return own.getRun(request, options);
      },
    }));
    expect(found).toContainEqual(expect.stringMatching(/^getRun: .*not yours/));
  });

  it("when a list has one entry too many", async () => {
    const found = await leaking((_own, victim) => ({ listReactions: (...args) => victim.listReactions(...args) }));
    expect(found).toContainEqual("listReactions: the answer to another question has the victim's reaction-of-victim");
  });

  it("when something is changed though the answer is right", async () => {
    const found = await leaking((own, victim) => ({
      setBudget: async (...args) => {
        await victim.setBudget(...args).catch(() => undefined);
        return own.setBudget(...args);
      },
    }));
    expect(found).toEqual(["something of the victim has changed"]);
  });

  it("when a stream gives entries of all", async () => {
    const found = await leaking((own, victim) => ({
      async *subscribeBySubject(request, options) {
        for await (const entry of victim.subscribeEvents({}, options)) {
          yield entry;
          break;
        }
        yield* own.subscribeBySubject(request, options);
      },
    }));
    expect(found).toContainEqual(expect.stringMatching(/^subscribeBySubject: .* the victim's app-/));
  });
});

describe("names that look alike are those of different tenants", () => {
  it("in memory", async () => {
    expect(await keepApart(await opened("memory:"))).toEqual([]);
  });

  it("in SQLite", async () => {
    expect(await keepApart(await opened("sqlite::memory:"))).toEqual([]);
  });
});

describePostgres("PostgreSQL", () => {
  it("keeps tenants apart, and those whose names look alike", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const store = await opened(schema.url);
    const place = await neighbourhood(store);
    expect(await findLeaks(place, inProcess(place))).toEqual([]);
    expect(await keepApart(store)).toEqual([]);
  });
});

describeBigtable("Bigtable", (host) => {
  it("keeps apart tenants whose names look alike", async () => {
    expect(await keepApart(await new BigtableScene(host).open())).toEqual([]);
  });
});

describeSpanner("Spanner", (host) => {
  it("keeps apart tenants whose names look alike", async () => {
    expect(await keepApart(await new SpannerScene(host).open())).toEqual([]);
  });
});
