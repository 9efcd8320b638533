import { pageToken, positionIn } from "../../codec/page-token.ts";
import type { Need } from "../../journal/run/attention.ts";
import { integer, oneOf, optionalId, pageSize } from "../../journal/validate.ts";
import type { AttentionItem, ListAttentionRequest, ListAttentionResponse } from "../../model/inspect.ts";
import type { Seq } from "../../model/row.ts";
import type { ScanItem } from "../../store/store.ts";
import { DamagedRows } from "../damaged-rows.ts";
import { readBodies } from "../bodies.ts";
import { tenantFilter } from "../tenant.ts";
import { needPosition, needPositionTexts, type NeedPosition } from "./need-position.ts";
import { isBefore, needsOf, type NeedPlace, type PlacedNeed } from "./need-keys.ts";
import { fillPage } from "../page.ts";
import type { InspectPorts } from "./ports.ts";

/** The kinds in the order of the contract, which is their order at one moment, too. */
const needKinds: readonly Need[] = ["EFFECT_UNKNOWN", "RUN_STUCK", "OBLIGATION_STUCK", "RUN_RECOVERABLE"];

/** How long a run may be recoverable before a human is told, unless asked otherwise. */
export const recoverableForMs = 60_000;

/** Items whose payloads are read together, at first: each may be as large as a message. */
const firstBatch = 8;

/** What is asked for, checked. */
interface NeedsWanted {
  readonly kinds: readonly Need[];
  readonly tenantId: string | null;
  readonly recoverableForMs: number;
  readonly limit: number;
}

/** What was found of all kinds, longest waiting first. */
interface FoundAttention {
  readonly needs: readonly PlacedNeed[];
  /** Whether there may be something behind these. */
  readonly more: boolean;
  /** Where to go on once everything up to this place has been given out. */
  readonly positionAfter: (given: NeedPlace) => NeedPosition;
}

/** ListAttention (R84). */
export async function listAttention(
  ports: InspectPorts,
  request: ListAttentionRequest,
): Promise<ListAttentionResponse> {
  const { access, limits, partition } = ports;
  const asked = new Set((request.kinds ?? []).map((kind) => oneOf("kinds", kind, needKinds)));
  const wanted: NeedsWanted = {
    kinds: needKinds.filter((kind) => asked.size === 0 || asked.has(kind)),
    tenantId: tenantFilter(access, optionalId("tenant_id", request.tenantId, limits)),
    recoverableForMs: Math.max(0, integer("recoverable_for_ms", request.recoverableForMs)) || recoverableForMs,
    limit: pageSize(request.pageSize, limits, "page_size"),
  };
  const name = JSON.stringify(["ListAttention", partition, wanted.kinds, wanted.tenantId, wanted.recoverableForMs]);
  const from = needPosition(partition, wanted.kinds, positionIn(request.pageToken ?? "", name));
  const damaged = new DamagedRows();
  const found = await findNeeds(ports, wanted, from, damaged);
  if (!found.more) damaged.check(found.needs.length);
  const listed = found.needs.slice(0, wanted.limit);
  const items = await fillPage({
    size: listed.length,
    limits,
    firstBatch,
    read: (at, count) => Promise.all(listed.slice(at, at + count).map((need) => itemOf(ports, need))),
  });
  if (items.length === found.needs.length && !found.more) return { items, nextPageToken: "" };
  const position = found.positionAfter(listed[items.length - 1]?.place ?? from.after);
  return { items, nextPageToken: pageToken(name, needPositionTexts(wanted.kinds, position)) };
}

/** Looks for what needs a human, without the payloads that are shown with it. */
export async function findNeeds(
  { pipeline, store, clock, partition }: InspectPorts,
  wanted: NeedsWanted,
  { after, lows }: NeedPosition,
  damaged: DamagedRows = new DamagedRows(),
): Promise<FoundAttention> {
  const now = clock.now();
  const found = await Promise.all(
    wanted.kinds.map((kind) =>
      needsOf(
        pipeline,
        store,
        {
          partition,
          kind,
          kindNumber: needKinds.indexOf(kind),
          tenantId: wanted.tenantId,
          untilMs: kind === "RUN_RECOVERABLE" ? now - wanted.recoverableForMs : now,
          after,
          low: lows.get(kind),
          limit: wanted.limit,
        },
        damaged,
      ),
    ),
  );
  const seenUntil = found.flatMap((one) => (one.seenUntil === undefined ? [] : [one.seenUntil]));
  const end = seenUntil.reduce<NeedPlace | undefined>(
    (first, one) => (first === undefined || isBefore(one, first) ? one : first),
    undefined,
  );
  const needs = found.flatMap((one) => one.needs).filter(({ place }) => end === undefined || isBefore(place, end));
  return {
    needs: needs.toSorted((a, b) => (isBefore(a.place, b.place) ? -1 : 1)),
    more: end !== undefined,
    positionAfter: (given) => {
      const next = new Map<Need, ScanItem>();
      for (const [i, kind] of wanted.kinds.entries()) {
        const low = found[i]?.lowAfter(given);
        if (low !== undefined) next.set(kind, low);
      }
      return { after: given, lows: next };
    },
  };
}

async function itemOf({ store }: InspectPorts, { row, part }: PlacedNeed): Promise<AttentionItem> {
  // Somebody has to know of it, also when its payloads cannot be read: who asks for them is told why.
  const bodies = await new DamagedRows().skip(
    readBodies(store, row, part.seqs, () => undefined),
    new Map<Seq, null>(part.seqs.map((seq) => [seq, null])),
  );
  return part.view((seq) => bodies.get(seq));
}
