import type picocolors from "picocolors";
import type { Check } from "./proof.ts";

/** Colours, or none. */
export type Colours = ReturnType<typeof picocolors.createColors>;

/** Writes what happens as a timeline. */
export interface Narrator {
  tell(who: string, what: string): void;
  prove(checks: readonly Check[]): void;
}

/** A narrator that counts seconds from now. */
export function openNarrator(write: (line: string) => void, colours: Colours): Narrator {
  const start = performance.now();
  const paint: Readonly<Record<string, (text: string) => string>> = {
    agent: colours.cyan,
    dispatcher: colours.magenta,
    server: colours.blue,
    database: colours.green,
    bank: colours.yellow,
    "kill -9": (text) => colours.bold(colours.red(text)),
  };
  return {
    tell: (who, what) => {
      const seconds = `${((performance.now() - start) / 1000).toFixed(1)}s`;
      const painter = paint[who] ?? ((text: string) => text);
      write(
        `${colours.dim(seconds.padStart(6))}  ${painter(who.padEnd(10))}  ${who === "kill -9" ? painter(what) : what}`,
      );
    },
    prove: (checks) => {
      for (const { claim, holds, found } of checks) {
        write(
          `  ${holds ? colours.green("proved") : colours.red("BROKEN")}  ${claim}${holds ? "" : `; found: ${found}`}`,
        );
      }
    },
  };
}
