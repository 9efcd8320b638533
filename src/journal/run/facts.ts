import { indexPath } from "../../codec/row-id.ts";
import { appIndex, listKeyOf } from "./list-key.ts";
import type { Run, RunFacts } from "./run.ts";

/** The newest format of a run's head. */
export const runHeadFormat = 2;

/** The part of a run's head that never changes. */
export interface FactsHead {
  readonly run_id: string;
  readonly tenant_id: string;
  readonly app: string;
  readonly user: string;
  readonly session: string;
  readonly invocation_id: string;
  readonly actor: string;
  readonly subject: string;
  readonly agent_id: string;
  readonly aiplex_instance_id: string;
  readonly gateway_route: string;
  readonly scopes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly started_at_ms: number;
}

/** The part of the head that never changes, as the inside of a JSON object. */
function factsText(facts: RunFacts): string {
  const head: FactsHead = {
    run_id: facts.runId,
    tenant_id: facts.tenantId,
    app: facts.appName,
    user: facts.userId,
    session: facts.sessionId,
    invocation_id: facts.invocationId,
    actor: facts.actor,
    subject: facts.subject,
    agent_id: facts.agentId,
    aiplex_instance_id: facts.aiplexInstanceId,
    gateway_route: facts.gatewayRoute,
    scopes: facts.scopes,
    labels: facts.labels,
    started_at_ms: facts.startedAtMs,
  };
  return `"format":${runHeadFormat},"kind":"run",${JSON.stringify(head).slice(1, -1)}`;
}

/** Gives a run its facts, with what is made of them once. */
export function setFacts(run: Run, facts: RunFacts): void {
  run.facts = facts;
  run.factsText = factsText(facts);
  run.liveIndex = indexPath("live", facts.appName, facts.userId, facts.sessionId);
  run.appIndex = appIndex(facts.appName);
  run.listKey = listKeyOf(facts);
}

/** The facts in a head. */
export const factsOf = (head: FactsHead): RunFacts => ({
  runId: head.run_id,
  tenantId: head.tenant_id,
  appName: head.app,
  userId: head.user,
  sessionId: head.session,
  invocationId: head.invocation_id,
  actor: head.actor,
  subject: head.subject,
  agentId: head.agent_id,
  aiplexInstanceId: head.aiplex_instance_id,
  gatewayRoute: head.gateway_route,
  scopes: head.scopes,
  labels: head.labels,
  startedAtMs: head.started_at_ms,
});
