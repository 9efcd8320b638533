import { describe, expect, inject, it } from "vitest";
import type { EmulatorAnswer } from "./emulator-desk.ts";
import type { EmulatorKind } from "./find-emulator.ts";

/**
 * A `describe` that needs the run's Bigtable emulator, and gets its `host:port`. Where there is none it is skipped with the
 * reason; with `CI=true` it fails.
 */
export function describeBigtable(name: string, body: (host: string) => void | Promise<void>): void {
  describeEmulator("bigtable", name, body);
}

/** {@link describeBigtable} for Spanner. */
export function describeSpanner(name: string, body: (host: string) => void | Promise<void>): void {
  describeEmulator("spanner", name, body);
}

function describeEmulator(kind: EmulatorKind, name: string, body: (host: string) => void | Promise<void>): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller gives it
  describe(name, async () => {
    const answer = await ask(kind);
    if (answer.kind === "running") return body(answer.host);
    const mayMiss = process.env["CI"] !== "true";
    if (mayMiss) process.stderr.write(`skipped: ${name}: ${answer.reason}\n`);
    it("has what it needs", ({ skip }) => {
      skip(mayMiss, answer.reason);
      expect.fail(answer.reason);
    });
  });
}

async function ask(kind: EmulatorKind): Promise<EmulatorAnswer> {
  const response = await fetch(`${inject("sharedServers")}/${kind}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as EmulatorAnswer;
}
