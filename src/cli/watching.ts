import type { CommandContext } from "./command-context.ts";

const everyMs = 2000;
/** To the upper left corner, and everything behind it away. */
const clear = "\u001B[H\u001B[J";

/** Does it again and again until the signal fires; on a terminal each time on an empty screen. */
export async function again(
  once: () => Promise<void>,
  { terminal }: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (terminal.interactive) terminal.print(clear);
    await once();
    if (!terminal.interactive) terminal.print("");
    await pause(everyMs, signal);
  }
  signal.throwIfAborted();
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}
