import type { DestinationStream } from "pino";
import pc from "picocolors";

type Colours = ReturnType<typeof pc.createColors>;

const paints: Readonly<Record<string, keyof Colours & ("red" | "yellow" | "green" | "gray")>> = {
  fatal: "red",
  error: "red",
  warn: "yellow",
  info: "green",
};

/** Turns pino's JSON lines into lines for people: `12:03:11.123 info  listening  address=127.0.0.1:7878`. */
export function prettyLines(destination: DestinationStream, colours: boolean): DestinationStream {
  const paint = pc.createColors(colours);
  return { write: (line) => destination.write(`${prettyLine(line, paint)}\n`) };
}

function prettyLine(line: string, paint: Colours): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const label = String(level);
  const words = [
    paint.dim(String(time).slice(11, 23)),
    paint[paints[label] ?? "gray"](label.padEnd(5)),
    paint.bold(typeof msg === "string" ? msg : ""),
    ...Object.entries(fields).map(([key, value]) => `${paint.dim(`${key}=`)}${word(value)}`),
  ];
  const stack = errorText(err);
  return stack === "" ? words.join(" ") : `${words.join(" ")}\n${paint.dim(stack)}`;
}

function word(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function errorText(err: unknown): string {
  if (typeof err !== "object" || err === null) return "";
  return "stack" in err && typeof err.stack === "string" ? err.stack : JSON.stringify(err);
}
