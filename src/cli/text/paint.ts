import type { Colours } from "../terminal.ts";

type Paint = (text: string) => string;

/** How states and verbs are painted: green is settled well, yellow waits, red went wrong, inverse red needs a person. */
export function paintOf(colours: Colours, state: string): Paint {
  switch (state.toUpperCase()) {
    case "CONFIRMED":
    case "TERMINAL":
    case "COMPENSATED":
    case "RELEASED":
    case "RECORDED":
    case "FIRED":
      return colours.green;
    case "RUNNING":
    case "RUNNABLE":
      return colours.cyan;
    case "PENDING":
    case "CLAIMED":
    case "COMMITTED":
    case "WAITING":
    case "COMPENSATING":
    case "SET":
      return colours.yellow;
    case "FAILED":
    case "DENIED":
      return colours.red;
    case "UNKNOWN":
    case "STUCK":
      return (text) => colours.bold(colours.red(text));
    case "CANCELLED":
    case "DELETED":
      return colours.dim;
    default:
      return (text) => text;
  }
}
