import { printable } from "../terminal.ts";
import { Fields } from "./fields.ts";
import { moment } from "./duration.ts";
import { dollars, plural } from "./money.ts";

/** One entry in words. */
export interface EntryText {
  readonly kind: string;
  readonly verb: string;
  /** What it is about: a tool, a gate, a value. */
  readonly about: string;
  /** What else there is to say. */
  readonly details: string;
}

/** What an entry must have to be told. `EventEntry` does; a `JournalEntry` needs its run's id beside it. */
export interface Tellable {
  readonly runId: string;
  readonly kind: string;
  readonly subject: string;
  readonly payloadJson: string;
}

type Teller = (fields: Fields, verb: string) => readonly [about: string, ...details: string[]];

/** What stands in the payload of each kind (R52), in words; empty details are left out. */
const tellers: Readonly<Record<string, Teller>> = {
  run: (fields) => [sessionPath(fields), named("invocation", fields.text("invocation_id"))],
  decision: (fields) => [
    `decision ${fields.number("decision_index")}`,
    fields.text("model"),
    named("policy", fields.text("policy_version")),
  ],
  effect: tellEffect,
  obligation: (fields) => [
    fields.text("kind"),
    `#${fields.number("obligation_seq")} for ${fields.text("effect_key")}`,
    attempts(fields.number("attempts")),
    fields.text("error"),
  ],
  gate: (fields) => [fields.text("gate"), fields.number("occurrence") > 1 ? `wait ${fields.number("occurrence")}` : ""],
  timer: (fields) => [fields.text("timer_id"), fields.text("kind"), `due ${moment(fields.number("fire_at_ms"))}`],
  budget: (fields) => [
    spending(fields.number("usd"), fields.number("tokens")),
    `in all ${spending(fields.number("usd_spent"), fields.number("tokens_spent"))}`,
  ],
  policy: (fields) => [
    fields.text("tool"),
    named("needs scope", fields.text("required_scope")),
    `granted ${fields.text("granted_scopes")}`,
  ],
  value: (fields, verb) => [
    `${fields.text("namespace")}/${fields.text("key")}`,
    `version ${fields.number("version")}`,
    named("by", fields.text("writer")),
    verb === "deleted" ? "" : new Fields(fields.text("value")).text("value_json"),
  ],
  event: (fields) => [sessionPath(fields), named("by", fields.text("author")), fields.text("event_id")],
};

/** An entry in words, safe to show. A kind that is not known is told by its payload. */
export function tell(entry: Tellable): EntryText {
  const [, , , verb = ""] = entry.subject.split("/");
  const tellKind = tellers[entry.kind];
  const [about, ...details] = tellKind?.(new Fields(entry.payloadJson), verb) ?? ["", entry.payloadJson];
  return {
    kind: entry.kind,
    verb,
    about: printable(about),
    // A key says the run's id again, which stands beside it anyway.
    details: printable(listed(details).replaceAll(`${entry.runId || " "}/`, "")),
  };
}

function tellEffect(fields: Fields, verb: string): readonly [string, ...string[]] {
  const intent = [
    fields.text("semantics") === "IDEMPOTENT" ? "" : wordsOf(fields.text("semantics")),
    fields.text("dispatch_mode") === "OUTBOX" ? `outbox ${fields.text("connector")}` : "",
    named("business key", fields.text("business_key")),
    named("scope", fields.text("scope")),
  ];
  const outcome = [
    named("by", fields.text("claimer")),
    attempts(fields.number("dispatch_attempts")),
    fields.text("error"),
    named("ref", fields.text("external_ref")),
    wordsOf(fields.text("resolution")),
  ];
  const index = fields.number("decision_index");
  return [
    fields.text("tool"),
    index < 0 ? "" : `decision ${index}`,
    ...(verb === "pending" && fields.text("transition") === "" ? intent : outcome),
  ];
}

/** Parts with commas between, without the empty ones. */
export function listed(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

/** `NON_IDEMPOTENT` as `non-idempotent`. */
export function wordsOf(constant: string): string {
  return constant.toLowerCase().replaceAll("_", "-");
}

/** Dollars and tokens, as far as there are any. */
function spending(usd: number, tokens: number): string {
  const parts = [usd === 0 && tokens !== 0 ? "" : dollars(usd), tokens === 0 ? "" : plural(tokens, "token")];
  return parts.filter((part) => part !== "").join(" and ");
}

function sessionPath(fields: Fields): string {
  return [fields.text("app"), fields.text("user"), fields.text("session")].filter((part) => part !== "").join("/");
}

function named(name: string, value: string): string {
  return value === "" ? "" : `${name} ${value}`;
}

function attempts(count: number): string {
  return count === 0 ? "" : plural(count, "attempt");
}
