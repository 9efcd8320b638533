import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { gatedClient, ReconnectGate } from "./reconnect-gate.ts";

const gone = new Error("nothing listens there");
const fail = (): Promise<never> => Promise.reject(gone);

function gateAt(start: number): { readonly gate: ReconnectGate; readonly clock: { ms: number } } {
  const clock = { ms: start };
  return { gate: new ReconnectGate(() => clock.ms), clock };
}

describe("a gate before a server that cannot be reached", () => {
  it("lets any number try while nothing is known against it", async () => {
    const { gate } = gateAt(0);
    await expect(Promise.all([1, 2, 3].map((n) => gate.pass(() => Promise.resolve(n))))).resolves.toEqual([1, 2, 3]);
  });

  it("refuses with the last error, without an attempt, longer each time and at most 2 s", async () => {
    const { gate, clock } = gateAt(1000);
    for (const pauseMs of [50, 100, 200, 400, 800, 1600, 2000, 2000]) {
      await expect(gate.pass(fail)).rejects.toBe(gone);
      clock.ms += pauseMs - 1;
      await expect(gate.pass(() => expect.fail("no attempt"))).rejects.toBe(gone);
      clock.ms += 1;
      expect(gate.refusal).toBeUndefined();
    }
  });

  it("counts attempts that fail together once", async () => {
    const { gate, clock } = gateAt(0);
    await Promise.allSettled([gate.pass(fail), gate.pass(fail), gate.pass(fail)]);
    clock.ms = 50;
    expect(gate.refusal).toBeUndefined();
  });

  it("lets one try when the pause is over, and all when that one has succeeded", async () => {
    const { gate, clock } = gateAt(0);
    await expect(gate.pass(fail)).rejects.toBe(gone);
    clock.ms = 50;
    let succeed = (): void => undefined;
    const probe = gate.pass(() => new Promise<void>((resolve) => (succeed = resolve)));
    await expect(gate.pass(() => expect.fail("a second attempt"))).rejects.toBe(gone);
    succeed();
    await probe;
    expect(gate.refusal).toBeUndefined();
    await expect(gate.pass(fail)).rejects.toBe(gone);
    clock.ms += 50;
    expect(gate.refusal).toBeUndefined();
  });
});

describe("a client that connects through the gate", () => {
  it("tells the pool why it may not, and survives what a connection says when nobody asked", async () => {
    const { gate } = gateAt(0);
    await expect(gate.pass(fail)).rejects.toBe(gone);
    const client = new (gatedClient(Client, gate))({ ssl: false, sslnegotiation: "postgres" });
    await expect(new Promise((resolve) => client.connect(resolve))).resolves.toBe(gone);
    await expect(client.connect()).rejects.toBe(gone);
    expect(() => client.emit("error", new Error("terminating connection"))).not.toThrow();
  });
});
