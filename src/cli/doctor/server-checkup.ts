import { TapeError } from "../../errors.ts";
import { type Checkup, fail, ok, warn } from "./finding.ts";
import type { JournalScene } from "./journal-scene.ts";

const slowTripUs = 50_000;

/** Whether a server answers, lets this caller in, and has its store. */
export function serverCheckup({ tape, access }: JournalScene): Checkup {
  const id = "server.ready";
  return async function* (signal) {
    try {
      const { kind, formatVersion, roundTripUs, serverVersion } = await tape.inspect.describeStore({}, { signal });
      const says = `Tape ${serverVersion || "of unknown version"} on ${kind} (format ${formatVersion}), ${(roundTripUs / 1000).toFixed(1)} ms to its store`;
      yield roundTripUs > slowTripUs
        ? warn(id, `${says}: every decision and effect waits for one or two of these`, [
            "# run the server in the region and zone of its store",
          ])
        : ok(id, says);
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      yield fail(id, error.message, [`tape runs --limit 1${access}`]);
    }
  };
}
