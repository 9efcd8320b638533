/** Something that must never be: which invariant is broken, and how it shows. */
export interface Violation {
  /** A name from `docs/proof.md`. */
  readonly invariant: InvariantName;
  readonly what: string;
}

/** What is checked; `docs/proof.md` has a line for each. */
const invariantNames = [
  "acknowledged-is-durable",
  "first-outcome-wins",
  "one-epoch-writes",
  "lease-is-exclusive",
  "claim-is-exclusive",
  "attempts-in-order",
  "no-second-dispatch",
  "no-run-after-confirmed",
  "newest-first",
  "charged-once",
  "request-counts-once",
  "timer-fires-once",
  "key-belongs-to-one-effect",
  "index-never-too-few",
  "row-equals-memory",
  "version-never-reused",
  "event-appended-once",
  "read-sees-acknowledged",
  "feed-is-complete",
  "run-table",
  "servers-agree",
  "one-task-an-entry",
  "cursor-behind-tasks",
  "task-table",
  "limits-hold",
  "one-run-a-task",
  "chore-in-turns",
  "only-at-rest-removed",
  "removed-stays-taken",
  "watcher-sees-all",
  "tenants-apart",
  "caps-hold",
  "list-is-whole",
  "work-gets-done",
  "no-surprise",
] as const;

/** What is broken. */
export type InvariantName = (typeof invariantNames)[number];
