import { printable, type Terminal } from "../terminal.ts";
import type { ReportedEffect, RunReport } from "../run-report.ts";
import { advise, shortKey } from "./advice.ts";
import { type Cell, columns } from "./columns.ts";
import { duration, moment } from "./duration.ts";
import { listed, tell, wordsOf } from "./entry.ts";
import { dollars, plural } from "./money.ts";
import { paintOf } from "./paint.ts";

/** How a report is shown. */
export interface RunTextOptions extends Pick<Terminal, "colours" | "columns"> {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Lines of the timeline at most; the latest are shown. */
  readonly timelineLines: number;
  /** What a suggested command needs to reach the same Tape, from the space before it on; may be empty. */
  readonly access: string;
}

/** A run for people: what it is, what happened when, what is open, and what to do about it. */
export function runText(report: RunReport, options: RunTextOptions): string[] {
  return [
    ...header(report, options),
    ...section("Timeline", timeline(report, options), options),
    ...section("Effects", effects(report, options), options),
    ...section("Obligations", obligations(report, options), options),
    ...section("Gates", gates(report, options), options),
    ...section("Timers", timers(report, options), options),
    ...section("Budget", budget(report), options),
    ...section("Next", next(report, options), options),
  ];
}

function section(title: string, lines: readonly string[], { colours }: RunTextOptions): string[] {
  return lines.length === 0 ? [] : ["", colours.bold(title), ...lines.map((line) => `  ${line}`)];
}

function header({ run }: RunReport, { colours, now }: RunTextOptions): string[] {
  const ended = run.endedAtMs > 0;
  const facts: readonly (readonly [string, string])[] = [
    ["app", [run.appName, run.userId, run.sessionId].filter((part) => part !== "").join("/")],
    ["invocation", run.invocationId],
    ["started", `${moment(run.startedAtMs)}, ${duration(now - run.startedAtMs)} ago`],
    ["ended", ended ? `${moment(run.endedAtMs)}, after ${duration(run.endedAtMs - run.startedAtMs)}` : ""],
    ["lease", lease(run, now)],
    ["waits at", run.waitingOnGate],
    ["tenant", run.tenantId],
    ["agent", run.agentId],
    ["actor", run.actor],
    ["subject", run.subject],
    ["scopes", run.scopes.join(", ")],
    [
      "labels",
      Object.entries(run.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(", "),
    ],
  ];
  const rows = facts
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [{ text: name, paint: colours.dim }, printable(value)]);
  return [
    `${colours.bold(printable(run.runId))}  ${paintOf(colours, run.status)(run.status)}`,
    ...columns(rows).map((line) => `  ${line}`),
  ];
}

function lease({ leaseOwner, leaseExpiresAtMs }: RunReport["run"], now: number): string {
  if (leaseOwner === "") return "";
  const left = leaseExpiresAtMs - now;
  return left > 0 ? `${leaseOwner}, ${duration(left)} left` : `${leaseOwner}, expired ${duration(-left)} ago`;
}

function timeline({ run, entries }: RunReport, options: RunTextOptions): string[] {
  const { colours, timelineLines } = options;
  const shown = entries.slice(-timelineLines);
  const rows = shown.map((entry) => {
    const { kind, verb, about, details } = tell({ ...entry, runId: run.runId });
    const time = { text: offset(entry.tsMs - run.startedAtMs), paint: colours.dim };
    return [time, kind, { text: verb, paint: paintOf(colours, verb) }, about, details];
  });
  const earlier = entries.length - shown.length;
  const note = `${plural(earlier, "earlier entry", "earlier entries")}; --all shows them`;
  return [...(earlier === 0 ? [] : [colours.dim(note)]), ...columns(rows, options.columns - 2)];
}

function offset(ms: number): string {
  return `${ms < 0 ? "-" : "+"}${duration(Math.abs(ms))}`.padStart(9);
}

function effects({ run, effects: all }: RunReport, options: RunTextOptions): string[] {
  const rows = all.map((effect) => [
    statusCell(effect.status, options),
    effect.toolName,
    shortKey(run.runId, effect.idempotencyKey),
    wordsOf(effect.semantics),
    effect.dispatchMode === "OUTBOX" ? `outbox ${effect.connector}` : "inline",
    effectDetails(effect, options.now),
  ]);
  const lines = table(["status", "tool", "key", "semantics", "mode", ""], rows, options);
  return withErrors(
    lines,
    all.map(({ status, lastDispatchError }) => (status === "CONFIRMED" ? "" : lastDispatchError)),
    options,
  );
}

function effectDetails(effect: ReportedEffect, now: number): string {
  const claimed = effect.dispatchClaimedBy !== "" && effect.dispatchClaimExpiresAtMs > now;
  const due = effect.status === "PENDING" && effect.nextDispatchAtMs > now;
  return listed([
    effect.dispatchAttempts === 0 ? "" : plural(effect.dispatchAttempts, "attempt"),
    claimed ? `claimed by ${effect.dispatchClaimedBy}` : "",
    due ? `due in ${duration(effect.nextDispatchAtMs - now)}` : "",
    effect.businessKey === "" ? "" : `business key ${effect.businessKey}`,
    effect.externalRef === "" ? "" : `ref ${effect.externalRef}`,
  ]);
}

function obligations({ run, obligations: all }: RunReport, options: RunTextOptions): string[] {
  const rows = all.map((obligation) => [
    statusCell(obligation.status, options),
    String(obligation.seq),
    obligation.kind,
    shortKey(run.runId, obligation.effectKey),
    listed([
      obligation.attempts === 0 ? "" : `${obligation.attempts} of ${plural(obligation.maxAttempts, "attempt")}`,
      obligation.claimExpiresAtMs > options.now ? `claimed by ${obligation.claimedBy}` : "",
    ]),
  ]);
  const lines = table(["status", "number", "kind", "for effect", ""], rows, options);
  return withErrors(
    lines,
    all.map(({ status, lastError }) => (status === "COMPENSATED" ? "" : lastError)),
    options,
  );
}

function gates({ run, gates: all }: RunReport, options: RunTextOptions): string[] {
  const rows = all.map(({ gate, occurrence, status, sinceMs }) => [
    statusCell(status, options),
    gate,
    String(occurrence),
    `since ${offset(sinceMs - run.startedAtMs).trim()}`,
  ]);
  return table(["status", "gate", "occurrence", ""], rows, options);
}

function timers({ timers: all }: RunReport, options: RunTextOptions): string[] {
  const rows = all.map(({ timerId, kind, status, fireAtMs }) => [
    statusCell(status, options),
    timerId,
    kind,
    status === "SET" && fireAtMs > options.now ? `in ${duration(fireAtMs - options.now)}` : `due ${moment(fireAtMs)}`,
  ]);
  return table(["status", "timer", "kind", ""], rows, options);
}

function budget({ budget: { usdCap, tokenCap, usdSpent, tokensSpent } }: RunReport): string[] {
  if (usdCap <= 0 && tokenCap <= 0 && usdSpent === 0 && tokensSpent === 0) return [];
  return columns([
    ["dollars", dollars(usdSpent), usdCap <= 0 ? "no cap" : `of ${dollars(usdCap)}${share(usdSpent, usdCap)}`],
    [
      "tokens",
      tokensSpent.toLocaleString("en-US"),
      tokenCap <= 0 ? "no cap" : `of ${tokenCap.toLocaleString("en-US")}${share(tokensSpent, tokenCap)}`,
    ],
  ]);
}

/** The lines of a table, each followed by what went wrong with its thing. The first line is the table's head. */
function withErrors(lines: readonly string[], errors: readonly string[], { colours }: RunTextOptions): string[] {
  return lines.flatMap((line, index) => {
    const error = errors[index - 1] ?? "";
    return error === "" ? [line] : [line, colours.red(`  ${printable(error)}`)];
  });
}

function share(spent: number, cap: number): string {
  const percent = (spent / cap) * 100;
  return ` (${percent.toFixed(percent < 10 ? 1 : 0)} %)`;
}

function next(report: RunReport, { colours, now, access }: RunTextOptions): string[] {
  return advise(report, now).flatMap(({ why, commands }) => [
    why,
    ...commands.map((command) => `  ${colours.cyan(command + access)}`),
  ]);
}

function statusCell(status: string, { colours }: RunTextOptions): Cell {
  return { text: status, paint: paintOf(colours, status) };
}

function table(titles: readonly string[], rows: readonly (readonly Cell[])[], options: RunTextOptions): string[] {
  if (rows.length === 0) return [];
  const { colours } = options;
  const head = titles.map((title) => ({ text: title, paint: colours.dim }));
  const safe = rows.map((row) => row.map((cell) => (typeof cell === "string" ? printable(cell) : cell)));
  return columns([head, ...safe], options.columns - 2);
}
