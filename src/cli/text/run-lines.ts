import type { RunState } from "../../model/run.ts";
import { printable, type Terminal } from "../terminal.ts";
import { columns } from "./columns.ts";
import { duration } from "./duration.ts";
import { paintOf } from "./paint.ts";

/** Runs for people, one a line. `now` is in milliseconds since 1970. */
export function runLines(runs: readonly RunState[], terminal: Terminal, now: number): string[] {
  if (runs.length === 0) return [];
  const { colours } = terminal;
  const head = ["status", "run", "app", "started", ""].map((text) => ({ text, paint: colours.dim }));
  const rows = runs.map((run) => [
    { text: run.status, paint: paintOf(colours, run.status) },
    printable(run.runId),
    printable(placeOf(run)),
    `${duration(now - run.startedAtMs)} ago`,
    printable(details(run, now)),
  ]);
  return columns([head, ...rows], terminal.columns);
}

/** The app of a run, with user and session where it has them. */
export const placeOf = ({ appName, userId, sessionId }: RunState): string =>
  [appName, userId, sessionId].filter((part) => part !== "").join("/");

function details(run: RunState, now: number): string {
  if (run.endedAtMs > 0) return `after ${duration(run.endedAtMs - run.startedAtMs)}`;
  if (run.waitingOnGate !== "") return `at gate ${run.waitingOnGate}`;
  if (run.leaseOwner === "") return "";
  const left = run.leaseExpiresAtMs - now;
  return left > 0 ? `held by ${run.leaseOwner}` : `lease of ${run.leaseOwner} expired ${duration(-left)} ago`;
}
