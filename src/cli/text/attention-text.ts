import type { AttentionItem } from "../../model/inspect.ts";
import { printable, type Terminal } from "../terminal.ts";
import { adviseOnStuck, adviseOnUnknown, type Advice } from "./advice.ts";
import { duration, moment } from "./duration.ts";
import { paintOf } from "./paint.ts";
import { placeOf } from "./run-lines.ts";
import { shellWord } from "./shell-word.ts";

/**
 * What a person can do about one thing. `access` is what a command needs to reach the same Tape, from the space before it
 * on.
 */
export function adviseOnItem(item: AttentionItem, now: number, access: string): Advice {
  const { why, commands } = adviceFor(item, now);
  return { why, commands: commands.map((command) => command + access) };
}

function adviceFor({ kind, run, sinceMs, effect, obligation }: AttentionItem, now: number): Advice {
  const id = shellWord(run.runId);
  if (effect !== undefined) return adviseOnUnknown(run.runId, effect);
  if (obligation !== undefined) return adviseOnStuck(run.runId, obligation);
  if (kind === "RUN_STUCK") {
    return {
      why: "The run cannot go on. What it needs, and then an agent that resumes it, or your giving it up:",
      commands: [`tape show ${id}`, `tape cancel ${id}`],
    };
  }
  return {
    why: `Nobody has resumed the run for ${duration(now - sinceMs)}: no agent looks for runs to recover. Start one, or give the run up:`,
    commands: [`tape show ${id}`, `tape cancel ${id}`],
  };
}

const titles: Readonly<Record<AttentionItem["kind"], readonly [state: string, what: string]>> = {
  UNSPECIFIED: ["", "something"],
  EFFECT_UNKNOWN: ["UNKNOWN", "effect"],
  RUN_STUCK: ["STUCK", "run"],
  OBLIGATION_STUCK: ["STUCK", "obligation"],
  RUN_RECOVERABLE: ["RUNNABLE", "run"],
};

/** One thing for people: what and since when, why, and the commands. */
export function attentionLines(
  item: AttentionItem,
  { why, commands }: Advice,
  terminal: Terminal,
  now: number,
): string[] {
  const { colours } = terminal;
  const { run, sinceMs } = item;
  const [state, what] = titles[item.kind];
  const since = `since ${moment(sinceMs)}, ${duration(now - sinceMs)}`;
  return [
    `${paintOf(colours, state)(state)} ${what} of ${colours.bold(printable(run.runId))}  ${printable(placeOf(run))}  ${colours.dim(since)}`,
    `  ${why}`,
    ...commands.map((command) => `    ${colours.cyan(command)}`),
  ];
}

/** The same for programs, without payloads. */
export function attentionJson(
  { kind, sinceMs, run, effect, obligation }: AttentionItem,
  { why, commands }: Advice,
): string {
  const { requestJson: _request, responseJson: _response, errorJson: _error, ...knownEffect } = effect ?? {};
  const { payloadJson: _payload, resultJson: _result, ...knownObligation } = obligation ?? {};
  return JSON.stringify({
    kind,
    sinceMs,
    why,
    commands,
    run,
    ...(effect === undefined ? {} : { effect: knownEffect }),
    ...(obligation === undefined ? {} : { obligation: knownObligation }),
  });
}
