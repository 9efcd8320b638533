import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import type { CapsAuditor } from "./caps-auditor.ts";

const millionth = 1e6;
const most = 200;

/** One round of somebody who sets caps, and of somebody who asks whether something still fits (R35, R36). */
export async function treasurerRound(life: Life, stage: Stage, caps: CapsAuditor): Promise<void> {
  const { random } = life.world;
  const runIds = [...stage.begun.values()];
  if (runIds.length === 0) return;
  const runId = random.pick(runIds);
  if (random.chance(0.5)) await setCaps(life, stage, caps, runId);
  else await admit(life, stage, caps, runId);
}

async function setCaps(life: Life, { promises }: Stage, caps: CapsAuditor, runId: string): Promise<void> {
  const { random } = life.world;
  const cap = (): number => random.pick([0, 1 + random.int(most), 1 + random.int(most)]);
  const [tokenCap, usdMicro] = [cap(), cap()];
  caps.ask(runId, { tokenCap, usdMicro });
  await life.call({
    method: "SetBudget",
    about: `${tokenCap} tokens, ${usdMicro} millionths for ${runId}`,
    send: (tape, options) => tape.setBudget({ runId, tokenCap, usdCap: usdMicro / millionth }, options),
    check: () => {
      const since = caps.of(runId).length;
      const commits = caps.commitsOf(runId);
      return (budget) => {
        const wanted = { tokenCap, usdMicro };
        // Of two that ride in one commit only the later one is seen in the head.
        const isWritten = caps.heldSince(runId, since, wanted) || caps.commitsOf(runId) > commits;
        promises.durable(isWritten, `caps ${JSON.stringify(wanted)} of ${runId}`);
        mustBe(promises, tokenCap === budget.tokenCap && usdMicro === micro(budget.usdCap), runId, budget);
      };
    },
  });
}

async function admit(life: Life, { promises }: Stage, caps: CapsAuditor, runId: string): Promise<void> {
  const { random } = life.world;
  const [tokens, usdMicro] = [random.int(most), random.int(most)];
  await life.call({
    method: "AdmitBudget",
    about: `${tokens} tokens, ${usdMicro} millionths to ${runId}`,
    send: (tape, options) =>
      tape.admitBudget({ runId, tokenEstimate: tokens, usdEstimate: usdMicro / millionth }, options),
    check: () => {
      const since = caps.of(runId).length;
      const before = spentOf(promises, runId);
      return ({ admitted, budget }) => {
        const { tokenCap, tokensSpent } = budget;
        const usdCap = micro(budget.usdCap);
        const isOver = (cap: number, spent: number, more: number): boolean => cap > 0 && spent + more > cap;
        const isTooMuch = isOver(tokenCap, tokensSpent, tokens) || isOver(usdCap, micro(budget.usdSpent), usdMicro);
        mustBe(promises, admitted === !isTooMuch, runId, { admitted, tokens, usdMicro, ...budget });
        mustBe(promises, caps.heldSince(runId, since, { tokenCap, usdMicro: usdCap }), runId, budget);
        const now = spentOf(promises, runId);
        promises.must(
          tokensSpent >= before && tokensSpent <= now,
          "read-sees-acknowledged",
          () =>
            `${runId} had ${before} tokens spent when the call came and has ${now}, AdmitBudget says ${tokensSpent}`,
        );
      };
    },
  });
}

const micro = (dollars: number): number => Math.round(dollars * millionth);

const spentOf = (promises: Stage["promises"], runId: string): number =>
  promises.run(runId).charges.reduce((sum, tokens) => sum + tokens, 0);

function mustBe(promises: Stage["promises"], holds: boolean, runId: string, told: unknown): void {
  promises.must(holds, "caps-hold", () => `the budget of ${runId} is told as ${JSON.stringify(told)}`);
}
