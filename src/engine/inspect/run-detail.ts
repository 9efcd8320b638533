import { badToken, pageToken, positionIn } from "../../codec/page-token.ts";
import { runDetail, type DetailLists, type DetailPart, type DetailPlace } from "../../journal/run/detail.ts";
import { pageSize, requiredId } from "../../journal/validate.ts";
import type { GetRunDetailRequest, GetRunDetailResponse } from "../../model/inspect.ts";
import type { RowId, Seq } from "../../model/row.ts";
import type { Store } from "../../store/store.ts";
import { readBodies } from "../bodies.ts";
import { runTarget } from "../business-keys.ts";
import { plainCall } from "../row-slot.ts";
import { fillPage, weightOf } from "../page.ts";
import type { InspectPorts } from "./ports.ts";

/** Things whose payloads are read together, at first: each may be as large as a message. */
const firstBatch = 8;

const start: DetailPlace = { section: 0, seq: 0 };

/** GetRunDetail (R82): what the run is and has, as of one commit; then the payloads, which never change. */
export async function getRunDetail(
  { pipeline, store, limits, partition }: InspectPorts,
  request: GetRunDetailRequest,
): Promise<GetRunDetailResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const openOnly = request.openOnly === true;
  const limit = pageSize(request.pageSize, limits, "page_size");
  const name = JSON.stringify(["GetRunDetail", partition, runId, openOnly]);
  const after = placeIn(request.pageToken ?? "", name);
  const target = runTarget(partition, runId);
  const decide = runDetail({ runId, openOnly, after: after ?? start, limit });
  const { parts, more, endings, ...frame } = await pipeline.execute(target, decide, plainCall);
  const endDetailJson = after === null ? await lastBody(store, target.row, endings) : "";
  const filled = await fillPage({
    size: parts.length,
    limits,
    taken: after === null ? weightOf(frame) + weightOf(endDetailJson) : 0,
    firstBatch,
    read: (from, count) => Promise.all(parts.slice(from, from + count).map((part) => read(store, target.row, part))),
  });
  const last = parts[filled.length - 1] ?? after ?? start;
  const isLast = filled.length === parts.length && !more;
  return {
    ...frame,
    endDetailJson,
    effects: filled.flatMap((lists) => lists.effects ?? []),
    obligations: filled.flatMap((lists) => lists.obligations ?? []),
    gates: filled.flatMap((lists) => lists.gates ?? []),
    timers: filled.flatMap((lists) => lists.timers ?? []),
    nextPageToken: isLast ? "" : pageToken(name, [last.section, last.seq]),
  };
}

function placeIn(token: string, name: string): DetailPlace | null {
  const position = positionIn(token, name);
  if (position === null) return null;
  const [section, seq] = position;
  if (position.length !== 2 || typeof section !== "number" || typeof seq !== "number") throw badToken();
  return { section, seq };
}

async function read(store: Store, row: RowId, part: DetailPart): Promise<DetailLists> {
  const bodies = await readBodies(store, row, part.seqs, () => undefined);
  return part.view((seq) => bodies.get(seq));
}

/** The text of the last of these entries that has one. */
async function lastBody(store: Store, row: RowId, seqs: readonly Seq[]): Promise<string> {
  const bodies = await readBodies(store, row, seqs, () => undefined);
  return seqs.map((seq) => bodies.get(seq)?.[0] ?? "").findLast((text) => text !== "") ?? "";
}
