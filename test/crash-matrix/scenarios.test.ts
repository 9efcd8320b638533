import { describe, expect, it } from "vitest";
import { Tape } from "../../src/rpc/gen/tape/v1/tape_pb.ts";
import { allScenarios, readOnlyRpcs } from "./scenarios/all-scenarios.ts";

describe("the scenarios", () => {
  it("are of every call of the contract but of those that only read", () => {
    const called = new Set<string>(allScenarios.map(({ rpc }) => rpc));
    const missing = Tape.methods.map(({ localName }) => localName).filter((name) => !called.has(name));
    expect(missing.toSorted()).toEqual([...readOnlyRpcs].toSorted());
  });

  it("have a name each, which begins with that of their call", () => {
    const names = allScenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, rpc } of allScenarios) expect(name.toLowerCase()).toMatch(new RegExp(`^${rpc.toLowerCase()}`));
  });
});
