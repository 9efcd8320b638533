import type { EnginePorts } from "../engine/engine-tape.ts";
import type { FeedPages } from "./feed-pages.ts";
import type { ReactorReports } from "./reactor-reports.ts";
import type { Turnstile } from "./turnstile.ts";

/** What everything that the reactor does works with. */
export interface ReactorPorts extends EnginePorts {
  /** Names this server: the owner of what it leases. */
  readonly owner: string;
  /** Fires when the reactor ends. */
  readonly stopping: AbortSignal;
  readonly pages: FeedPages;
  /** Bounds how many pages of tasks are made at once, over all reactions. */
  readonly making: Turnstile;
  readonly reports: ReactorReports;
}

/** Waits until `heard` resolves, for at most so many milliseconds if that is said, or until the signal fires. */
export async function waitFor(
  { clock, stopping }: Pick<ReactorPorts, "clock" | "stopping">,
  heard: Promise<void>,
  ms: number | undefined,
): Promise<void> {
  if (ms === undefined) {
    await heard;
    return;
  }
  const enough = new AbortController();
  const stop = (): void => {
    enough.abort();
  };
  stopping.addEventListener("abort", stop, { once: true });
  if (stopping.aborted) stop();
  await Promise.race([heard, clock.sleep(Math.max(1, ms), enough.signal)]);
  stopping.removeEventListener("abort", stop);
  stop();
}
