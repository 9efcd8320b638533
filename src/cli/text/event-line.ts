import type { EventEntry } from "../../model/feed.ts";
import { shorten, type Terminal } from "../terminal.ts";
import { timeOfDay } from "./duration.ts";
import { tell } from "./entry.ts";
import { paintOf } from "./paint.ts";

// Widths that hold for a whole stream, where no line knows the next one.
const runColumns = 28;
const whatColumns = 22;
const aboutColumns = 18;

/** One line for an entry of the feed. */
export function eventLine(entry: EventEntry, { colours, columns }: Pick<Terminal, "colours" | "columns">): string {
  const { kind, verb, about, details } = tell(entry);
  const what = `${kind} ${verb}`;
  const rest = `${about.padEnd(aboutColumns)}  ${details}`.trimEnd();
  const before = 12 + 2 + runColumns + 2 + whatColumns + 2;
  return [
    colours.dim(timeOfDay(entry.tsMs)),
    entry.runId.padEnd(runColumns),
    `${kind} ${paintOf(colours, verb)(verb)}${" ".repeat(Math.max(0, whatColumns - what.length))}`,
    shorten(rest, Math.max(24, columns - before)),
  ].join("  ");
}
