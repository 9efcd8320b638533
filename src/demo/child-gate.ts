import type { Gatekeeper, Point } from "./probe.ts";

/**
 * The gatekeeper of a program whose parent decides: each point is reported to the parent, and passed when it says so.
 * A program whose parent is gone ends.
 */
export function parentGatekeeper(): Gatekeeper {
  const waiting: (() => void)[] = [];
  process.on("message", () => waiting.shift()?.());
  process.once("disconnect", () => process.exit(1));
  return (point: Point) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      process.send?.(point);
    });
}

/** Lets the program end: a channel to the parent would keep it alive. */
export function leaveParent(): void {
  process.removeAllListeners("disconnect");
  if (process.connected) process.disconnect();
}
