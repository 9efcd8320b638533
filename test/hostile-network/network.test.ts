import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Size } from "./attack.ts";
import { attacks, makeAttack, openTarget, type Place, type Result } from "./campaign.ts";
import type { Target } from "./target.ts";

const root = join(import.meta.dirname, "../..");
const place: Place = {
  program: join(root, "dist/cli/main.js"),
  cert: join(root, "test/server/tls/cert.pem"),
  key: join(root, "test/server/tls/key.pem"),
};
/** Few of everything; `npm run fuzz:network` makes thousands. */
const size: Size = { connections: 10, streams: 200, watchers: 50, frames: 3000 };

const targets: Target[] = [];
afterAll(async () => {
  for (const target of targets) await target[Symbol.asyncDispose]();
});

const named = (name: string): (typeof attacks)[number] => {
  const found = attacks.find((attack) => attack.name === name);
  if (found === undefined) throw new Error(`there is no attack ${name}`);
  return found;
};

/** A server for all of them: a process takes longer to start than most attacks. */
async function targetFor(names: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Target> {
  const [first] = names.map(named);
  if (first === undefined) throw new Error("no attack");
  const target = await openTarget(place, size, { ...first, settings: { ...first.settings, ...settings } });
  targets.push(target);
  return target;
}

const faultsOf = ({ attack, violations }: Result): string[] => violations.map((fault) => `${attack.name}: ${fault}`);

// Attacks wait for a server's timeouts, and on a busy machine for their turn.
describe("a server on a hostile network", { timeout: 180_000 }, () => {
  it.each([
    [["silence", "slow-headers", "slow-body", "slow-preface", "idle-http2", "half-headers", "half-body"]],
    [["slow-tls", "slow-preface-tls"]],
    [["half-open"]],
  ])("gets rid of those who are slow or gone, all at once: %j", async (names) => {
    const target = await targetFor(names);
    const results = await Promise.all(names.map((name) => makeAttack(named(name), target, size, place)));
    expect(results.flatMap(faultsOf)).toEqual([]);
  });

  it("bears floods of frames, and those who take nothing, while others are served", async () => {
    const names = ["rapid-reset", "continuation-flood", "settings-flood", "ping-flood", "empty-frames", "huge-headers"];
    names.push("idle-streams", "deaf-watchers", "many-watchers");
    const target = await targetFor(names);
    for (const name of names) {
      const result = await makeAttack(named(name), target, size, place);
      expect(faultsOf(result)).toEqual([]);
      expect(result.probe.failed).toBe(0);
    }
  });

  it("that defends itself with nothing is found out", async () => {
    const never = "3600000";
    const settings = { TAPE_REQUEST_TIMEOUT_MS: never, TAPE_IDLE_TIMEOUT_MS: never, TAPE_KEEPALIVE_MS: never };
    const names = ["idle-http2", "half-open", "half-body", "deaf-watchers"];
    const target = await targetFor(names, settings);
    const results: Result[] = [];
    for (const name of names) results.push(await makeAttack(named(name), target, size, place, 2000));
    expect(results.map(({ violations }) => violations.length > 0)).toEqual(names.map(() => true));
  });
});
