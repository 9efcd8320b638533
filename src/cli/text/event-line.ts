import type { EventEntry } from "../../model/feed.ts";
import { type Colours, shorten } from "../terminal.ts";
import { timeOfDay } from "./duration.ts";
import { tell } from "./entry.ts";
import { paintOf } from "./paint.ts";

// Widths that hold for a whole stream, where no line knows the next one.
const runColumns = 28;
const whatColumns = 22;
const aboutColumns = 18;
// A line may wrap, but a value of many kilobytes is no line any more: --json has it.
const longestDetails = 400;

/** One line for an entry of the feed. */
export function eventLine(entry: EventEntry, colours: Colours): string {
  const { kind, verb, about, details } = tell(entry);
  const gap = " ".repeat(Math.max(0, whatColumns - `${kind} ${verb}`.length));
  return [
    colours.dim(timeOfDay(entry.tsMs)),
    entry.runId.padEnd(runColumns),
    `${kind} ${paintOf(colours, verb)(verb)}${gap}`,
    about.padEnd(aboutColumns),
    shorten(details, longestDetails),
  ]
    .join("  ")
    .trimEnd();
}
