import { Command, Option } from "commander";
import { TapeError } from "../../errors.ts";
import type { EventEntry } from "../../model/feed.ts";
import type { Tape } from "../../model/tape.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";
import { length, whole } from "../number-arguments.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";
import { eventLine } from "../text/event-line.ts";
import { parsedJson } from "../text/fields.ts";

interface TailOptions extends AccessOptions {
  readonly run?: string;
  readonly kind?: string;
  readonly subject?: string;
  readonly where?: string;
  readonly from?: number;
  readonly since?: number;
  readonly limit?: number;
  readonly json?: true;
}

const kinds = ["run", "decision", "effect", "obligation", "gate", "timer", "budget", "policy", "value", "event"];

/** `tape tail` */
export function tailCommand(context: CommandContext): Command {
  return withAccess(
    new Command("tail")
      .summary("print the journal as it is written")
      .description("print what is written to the journal, as it is written")
      .option("--run <id>", "only entries of this run")
      .addOption(new Option("--kind <kind>", "only entries of this kind").choices(kinds))
      .option("--subject <pattern>", "only subjects that match: * is one segment, ** the rest")
      .option("--where <cel>", "only entries for which this CEL predicate holds")
      .option("--from <position>", "start behind this position, or at the `start`; default: now", position)
      .option("--since <duration>", "start this long ago: 30s, 10m, 2h, 7d", length)
      .option("--limit <count>", "stop after so many entries", (text) => whole(text))
      .option("--json", "one JSON document a line, with positions")
      .addHelpText(
        "after",
        `
Examples:
  tape tail
  tape tail --from start --kind run
  tape tail --since 1h --subject '/tape/effect/unknown/**'
  tape tail --where 'kind == "budget" && payload.tokens > 1000'
  tape tail --from start --json | jq -r .subject

A predicate sees run_id, seq, kind, subject, ts_ms, global_seq and payload.
A tail that is cut off goes on by itself. To go on later, name the last globalSeq of --json: tape tail --from 1234`,
      )
      .action(async (options: TailOptions) => {
        const signal = context.interruption();
        try {
          await useTape(options, context, (tape) => follow(tape, options, context, signal));
        } catch (error) {
          if (!signal.aborted) throw error;
          context.exit(exitCodes.interrupted);
        }
      }),
  );
}

async function follow(tape: Tape, options: TailOptions, context: CommandContext, signal: AbortSignal): Promise<void> {
  const { terminal } = context;
  const { limit = Number.POSITIVE_INFINITY } = options;
  const write = options.json === true ? eventJson : (entry: EventEntry) => eventLine(entry, terminal.colours);
  let written = 0;
  for await (const entry of subscribe(tape, options, context.now(), signal)) {
    terminal.print(write(entry));
    written += 1;
    if (written >= limit) return;
  }
}

function subscribe(tape: Tape, options: TailOptions, now: number, signal: AbortSignal): AsyncIterable<EventEntry> {
  const { run, kind, subject, where, from, since } = options;
  if (from !== undefined && since !== undefined) {
    throw new TapeError("ARGUMENT_INVALID", "--from and --since both say where to start; give one of them");
  }
  const fromTsMs = from === undefined ? now - (since ?? 0) : undefined;
  if (where === undefined) {
    const request = { runId: run, kind, subjectPattern: subject, fromGlobalSeq: from, fromTsMs };
    return tape.subscribeEvents(request, { signal });
  }
  // The call that takes a predicate takes no other filter, but a predicate can say them all.
  const predicates = [
    ...(run === undefined ? [] : [`run_id == ${JSON.stringify(run)}`]),
    ...(kind === undefined ? [] : [`kind == ${JSON.stringify(kind)}`]),
    ...(fromTsMs === undefined ? [] : [`ts_ms >= ${fromTsMs}`]),
    `(${where})`,
  ];
  const request = { subjectPattern: subject ?? "", predicateCel: predicates.join(" && "), fromGlobalSeq: from };
  return tape.subscribeBySubject(request, { signal });
}

function eventJson({ payloadJson, ...entry }: EventEntry): string {
  return JSON.stringify({ ...entry, payload: parsedJson(payloadJson) });
}

function position(text: string): number {
  return text === "start" ? 0 : whole(text, "a position is a whole number, or the word start.");
}
