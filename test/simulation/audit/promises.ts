import { runRow, partitionOf, sessionRow, valueRow, type Partition } from "../../../src/codec/row-id.ts";
import type { InvariantName } from "../world/violation.ts";
import type { World } from "../world/world.ts";
import type { Auditor, ValueRecord } from "./auditor.ts";
import { emptyRun, type RunRecord } from "./run-record.ts";

/**
 * What an answer says must be so in the store at the moment it is given (R1), and must not be older than what was there
 * when the request arrived (R6).
 */
export class Promises {
  readonly #world: World;
  readonly #auditor: Auditor;
  readonly #partition: Partition;

  /** @param tenant Whose answers these are. */
  constructor(world: World, auditor: Auditor, tenant = "") {
    this.#partition = partitionOf(tenant);
    this.#world = world;
    this.#auditor = auditor;
  }

  /** What the journal says about a run, now. */
  run(runId: string): RunRecord {
    const row = runRow(this.#partition, runId);
    return this.#auditor.runs.get(row) ?? emptyRun(row);
  }

  /** What the journal says about a value, now. */
  value(namespace: string, key: string): ValueRecord {
    return (
      this.#auditor.values.get(valueRow(this.#partition, namespace, key)) ?? { versions: new Map(), deleted: true }
    );
  }

  /** The ids of a session's events, now. */
  events(app: string, user: string, session: string): readonly string[] {
    return this.#auditor.sessions.get(sessionRow(this.#partition, app, user, session)) ?? [];
  }

  /** An answer claims something. */
  must(holds: boolean, invariant: InvariantName, what: () => string): void {
    if (!holds) this.#world.violated(invariant, what());
  }

  /** An answer says that something is written. */
  durable(holds: boolean, what: string): void {
    this.must(holds, "acknowledged-is-durable", () => `${what} was acknowledged, but is not in the store`);
  }

  /** An answer about a run with this many entries; to be called when the request arrives. */
  notOlder(runId: string): (seq: number) => void {
    const before = this.run(runId).seq;
    return (seq) => {
      this.must(
        seq >= before,
        "read-sees-acknowledged",
        () => `${runId} had ${before} entries when the call came, the answer knows ${seq}`,
      );
    };
  }

  /** An answer about an effect; to be called when the request arrives. */
  notOlderEffect(runId: string, key: string): (status: string) => void {
    const before = this.run(runId).effects.get(key)?.status;
    return (status) => {
      const settled = before === "CONFIRMED" || before === "FAILED";
      this.must(
        !settled || status === before,
        before === "CONFIRMED" ? "no-run-after-confirmed" : "read-sees-acknowledged",
        () => `${key} of ${runId} was ${before} when the call came, the answer says ${status}`,
      );
    };
  }
}
