import { type Finding, fail, ok, warn } from "../../model/finding.ts";
import type { StoreCheckId, StoreExamination } from "../examination.ts";
import { emulatorFinding } from "../google/emulated.ts";
import { bigtableFailure } from "./bigtable-failure.ts";
import { parseBigtableUrl, type BigtableTarget } from "./bigtable-url.ts";
import { column, newest } from "./cells.ts";
import { markColumn } from "./keys.ts";
import { Place } from "./place.ts";
import { serviceLimits } from "./row-changes.ts";
import { decodeMark } from "./row-mark.ts";
import { defaultDeadlines } from "./table.ts";

/** Rows looked at in one call, and in all: a cell of some 60 bytes of each. */
const page = 5000;
const mostRows = 200_000;
const shown = 3;
const mebibyte = 1024 ** 2;

interface RowSize {
  readonly row: string;
  readonly bytes: number;
}

/** What there is to say of a Bigtable table. Errors: STORE_URL_INVALID. */
export function examineBigtable(url: string, emulatorHost: string | undefined): StoreExamination {
  const parsed = parseBigtableUrl(url);
  const target = { ...parsed, emulator: parsed.emulator ?? emulatorHost };
  return {
    place: async function* () {
      yield emulatorFinding("bigtable.emulator", { emulator: target.emulator, variable: "BIGTABLE_EMULATOR_HOST" });
    },
    journal: async function* () {},
    live: async function* (signal) {
      yield await largestRows(target, signal);
    },
  };
}

async function largestRows(target: BigtableTarget, signal: AbortSignal): Promise<Finding<StoreCheckId>> {
  const id = "bigtable.rows";
  const place = new Place(target, Date.now, defaultDeadlines);
  try {
    const { largest, looked, isAll } = await sizes(place, signal);
    const [first] = largest;
    const scope = `${isAll ? "" : "the first "}${looked} rows looked at`;
    if (first === undefined) return ok(id, "there are no rows yet");
    const named = largest.map(({ row, bytes }) => `${row} ${Math.ceil(bytes / mebibyte)} MiB`).join(", ");
    const limit = `a row is refused more at ${serviceLimits.rowBytes / mebibyte} MiB`;
    const says = `${scope}; the largest: ${named}; ${limit}`;
    const mend = [
      "# end those runs, or split their work into several runs: a run that is full can only be settled and ended",
    ];
    if (first.bytes >= serviceLimits.rowBytes) return fail(id, says, mend);
    return first.bytes >= serviceLimits.warnBytes ? warn(id, says, mend) : ok(id, says);
  } catch (error) {
    return fail(id, bigtableFailure(error, `looking at ${place.name}`).message, ["tape doctor --gcp"]);
  } finally {
    await place.close();
  }
}

async function sizes(
  place: Place,
  signal: AbortSignal,
): Promise<{ readonly largest: readonly RowSize[]; readonly looked: number; readonly isAll: boolean }> {
  const table = await place.reach();
  const { start, end } = place.keys.rows;
  const filter = newest(column(markColumn));
  let after: string | undefined;
  let looked = 0;
  let largest: readonly RowSize[] = [];
  while (looked < mostRows && !signal.aborted) {
    const range = after === undefined ? { start, end } : { start: after, end, afterStart: true };
    const rows = await table.read({ ranges: [range], filter, limit: page });
    const found = rows.map(({ key, cells }) => {
      const row = place.keys.parseRow(key);
      const mark = cells.get(markColumn);
      return { row, bytes: mark === undefined ? 0 : decodeMark(mark, row).bytes };
    });
    largest = [...largest, ...found].toSorted((a, b) => b.bytes - a.bytes).slice(0, shown);
    looked += rows.length;
    after = rows.at(-1)?.key;
    if (rows.length < page) return { largest, looked, isAll: true };
  }
  return { largest, looked, isAll: false };
}
