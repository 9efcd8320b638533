import { createInterface } from "node:readline";
import { openTape } from "../../open-tape.ts";
import { beginScratchRun } from "./scratch-run.ts";

/*
 * The process that the self-test kills. What it is to do comes by standard input, because command lines are for everybody
 * to read; it says what it has begun, and waits. When whoever started it is gone it ends.
 */
const input = createInterface({ input: process.stdin });
input.on("close", () => process.exit(1));
input.once("line", (line) => {
  const { url, invocationId } = JSON.parse(line) as { readonly url: string; readonly invocationId: string };
  void begin(url, invocationId);
});

async function begin(url: string, invocationId: string): Promise<void> {
  try {
    const tape = await openTape(url, { migrate: false, reactors: false });
    console.log(JSON.stringify(await beginScratchRun(tape, invocationId)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}
