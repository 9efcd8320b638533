import { readFileSync } from "node:fs";
import { canary } from "../secrets.ts";
import { comesTrue, type Attack, type Outcome, type Size } from "./attack.ts";
import { floodAttacks } from "./attacks/floods.ts";
import { hoardAttacks } from "./attacks/hoards.ts";
import { slowAttacks } from "./attacks/slow.ts";
import { watcherAttacks } from "./attacks/watchers.ts";
import { Probe, type Served } from "./probe.ts";
import { Target, type Memory } from "./target.ts";

/** All of them. */
export const attacks: readonly Attack[] = [...slowAttacks, ...floodAttacks, ...hoardAttacks, ...watcherAttacks];

/** One attack, and how everybody fared. */
export interface Result {
  readonly attack: Attack;
  readonly outcome: Outcome;
  /** The probe before the attack, and while it was under way. */
  readonly quiet: Served;
  readonly probe: Served;
  readonly before: Memory;
  readonly peak: Memory;
  readonly after: Memory;
  /** Everything that did not hold; empty: all did. */
  readonly violations: readonly string[];
}

/** Where the server comes from. */
export interface Place {
  /** `dist/cli/main.js` */
  readonly program: string;
  /** PEM files of a certificate for localhost. */
  readonly cert: string;
  readonly key: string;
}

// Tokens for this alone, on loopback, on servers that live for a minute.
const attacker = canary("token-eve");
const bystander = canary("token-ada");
/** As short as can be told from one another: what counts is that they end things, not when. */
const shortTimes: Readonly<Record<string, string>> = {
  TAPE_REQUEST_TIMEOUT_MS: "1500",
  TAPE_IDLE_TIMEOUT_MS: "4000",
  TAPE_KEEPALIVE_MS: "10000",
};
/** Whatever takes longer than this does not happen: the server's limits are a second or two here. */
const usualPatienceMs = 30_000;
const quietCalls = 40;
const sampleMs = 100;

/** Opens a server as the attack wants it. */
export function openTarget({ program, cert, key }: Place, size: Size, attack: Attack): Promise<Target> {
  return Target.open(program, {
    TAPE_AUTH: "token",
    TAPE_TOKENS: `eve:${attacker},ada:${bystander}`,
    TAPE_LOG_LEVEL: "error",
    TAPE_MAX_PENDING: String(size.streams),
    ...shortTimes,
    ...(attack.tls === true ? { TAPE_TLS_CERT: cert, TAPE_TLS_KEY: key } : {}),
    ...attack.settings,
  });
}

/** Makes one attack on a server, with a probe that calls all along, and says what held. */
export async function makeAttack(
  attack: Attack,
  target: Target,
  size: Size,
  { cert }: Place,
  patienceMs: number = usualPatienceMs,
): Promise<Result> {
  const authority = attack.tls === true ? readFileSync(cert) : null;
  const first = new Probe(target, bystander, authority);
  while (first.calls < quietCalls) await new Promise((resolve) => setTimeout(resolve, 10));
  const quiet = await first.stop();
  const before = await target.memory();
  const probe = new Probe(target, bystander, authority);
  // Connected before the attackers are: what is asked is whether those are served on who are here.
  while (probe.calls < 4) await new Promise((resolve) => setTimeout(resolve, 10));
  const samples: Memory[] = [before];
  let sampling = Promise.resolve();
  const sampler = setInterval(() => {
    sampling = target.memory().then(
      (memory) => void samples.push(memory),
      () => {},
    );
  }, sampleMs);
  const outcome = await attack
    .run({ target, size, token: attacker, comesTrue: (question) => comesTrue(question, patienceMs) })
    .catch((error: unknown) => ({
      connections: 0,
      fates: {},
      violations: [`the attack broke: ${error instanceof Error ? error.message : JSON.stringify(error)}`],
    }));
  // An attack that is over at once is one that the probe has to be served after, at least.
  await comesTrue(() => probe.calls >= quietCalls, patienceMs);
  clearInterval(sampler);
  await sampling;
  const served = await probe.stop();
  const after = await target.memory();
  const peak = {
    resident: Math.max(...samples.map(({ resident }) => resident), after.resident),
    used: Math.max(...samples.map(({ used }) => used), after.used),
  };
  const violations = [...outcome.violations];
  if (!target.alive) violations.push("the server has ended");
  if (served.failed > 0) violations.push(`${served.failed} calls of a bystander failed, the first: ${served.fault}`);
  if (served.ok < quietCalls) violations.push(`a bystander got only ${served.ok} answers`);
  const grown = peak.resident - before.resident;
  if (grown > attack.mayGrowBy) violations.push(`memory grew by ${grown} bytes, more than ${attack.mayGrowBy}`);
  return { attack, outcome, quiet, probe: served, before, peak, after, violations };
}
