import { TapeError, toTapeError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Inspect } from "../../model/inspect.ts";
import { patient } from "../call.ts";
import { listAttention } from "./attention-list.ts";
import { readJournal } from "./journal-pages.ts";
import type { InspectPorts } from "./ports.ts";
import { getRunDetail } from "./run-detail.ts";
import { listRuns } from "./run-list.ts";
import { describeStore } from "./store-facts.ts";

/** Inspect for one caller: every call is checked, and bound to the caller's rows. */
export function engineInspect(ports: InspectPorts): Inspect {
  const call = async <T>(options: CallOptions | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      if (ports.closing.aborted) throw new TapeError("SHUTTING_DOWN", "Tape is shutting down");
      return await patient(work(), options);
    } catch (error) {
      throw toTapeError(error);
    }
  };
  return Object.freeze({
    listRuns: (request = {}, options) => call(options, () => listRuns(ports, request)),
    getRunDetail: (request, options) => call(options, () => getRunDetail(ports, request)),
    readJournal: (request, options) => call(options, () => readJournal(ports, request)),
    listAttention: (request = {}, options) => call(options, () => listAttention(ports, request)),
    describeStore: (_request, options) => call(options, () => describeStore(ports)),
  } satisfies Inspect);
}
