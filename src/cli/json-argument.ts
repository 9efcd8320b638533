import { InvalidArgumentError } from "commander";

/** Checks that an argument is JSON; it goes on as it was written. */
export function jsonArgument(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw new InvalidArgumentError(`it is no JSON. Text needs its own quotes: '"${text.replaceAll(/["'\\]/g, "")}"'.`);
  }
}
