import type { createColors } from "picocolors";
import type { Check } from "./proof.ts";

/** Colours, or none. */
export type Colors = ReturnType<typeof createColors>;

/** Writes what happens as a timeline. */
export interface Narrator {
  tell(who: string, what: string): void;
  prove(checks: readonly Check[]): void;
}

/** A narrator that counts seconds from now. */
export function openNarrator(write: (line: string) => void, colors: Colors): Narrator {
  const start = performance.now();
  const paint: Readonly<Record<string, (text: string) => string>> = {
    agent: colors.cyan,
    dispatcher: colors.magenta,
    server: colors.blue,
    bank: colors.yellow,
    "kill -9": (text) => colors.bold(colors.red(text)),
  };
  return {
    tell: (who, what) => {
      const seconds = `${((performance.now() - start) / 1000).toFixed(1)}s`;
      const painter = paint[who] ?? ((text: string) => text);
      write(
        `${colors.dim(seconds.padStart(6))}  ${painter(who.padEnd(10))}  ${who === "kill -9" ? painter(what) : what}`,
      );
    },
    prove: (checks) => {
      for (const { claim, holds, found } of checks) {
        write(
          `  ${holds ? colors.green("proved") : colors.red("BROKEN")}  ${claim}${holds ? "" : `; found: ${found}`}`,
        );
      }
    },
  };
}
