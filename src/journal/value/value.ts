import { subjectSegment } from "../../codec/segment.ts";
import { entryMeta } from "../entry-meta.ts";
import { decodeHead } from "../../codec/head.ts";
import { TapeError } from "../../errors.ts";
import type {
  DeleteValueRequest,
  DeleteValueResponse,
  GetValueRequest,
  GetValueResponse,
  ValueEvent,
  ValueRecord,
  WriteValueRequest,
} from "../../model/value.ts";
import type { Limits } from "../limits.ts";
import { accept, type Context, type Decide, type HeadEvent, type JournalEvent, type RowRules } from "../row.ts";
import { integer, json, optionalId, requiredId } from "../validate.ts";

/* The rules of a value: one entry a version (R60, R61). */

const format = 1;
const rememberedRequests = 64;
/** Versions that a watcher can still ask for (R61). */
const keptVersions = 1000;
/** Trimming in blocks keeps it off most commits. */
const trimBlock = 100;

/** A value. `seq` is its version. */
export interface Value {
  seq: number;
  namespace: string;
  key: string;
  valueJson: string;
  writer: string;
  atMs: number;
  deleted: boolean;
  requests: readonly string[];
}

/** `payload_json` of the entries of a value (R52). */
interface ValueMeta {
  readonly namespace: string;
  readonly key: string;
  readonly version: number;
  readonly writer: string;
  readonly value?: {
    readonly namespace: string;
    readonly key: string;
    readonly value_json: string;
    readonly version: number;
  };
  readonly deleted?: true;
}

/** What can happen to a value. */
export type ValueRowEvent =
  | JournalEvent<"value/changed" | "value/deleted", ValueMeta>
  | (HeadEvent<"request"> & { readonly hash: string });

interface ValueHead {
  readonly format: number;
  readonly kind: "value";
  readonly namespace: string;
  readonly key: string;
  readonly value_json: string;
  readonly version: number;
  readonly writer: string;
  readonly updated_at_ms: number;
  readonly deleted: boolean;
  readonly requests: readonly string[];
}

function evolve(value: Value, event: ValueRowEvent, place: { readonly at: number }): void {
  if (event.kind === "head/request") {
    value.requests = [...value.requests.slice(1 - rememberedRequests), event.hash];
    return;
  }
  const { meta } = event;
  value.namespace = meta.namespace;
  value.key = meta.key;
  value.writer = meta.writer;
  value.atMs = place.at;
  value.deleted = event.kind === "value/deleted";
  value.valueJson = meta.value?.value_json ?? "";
}

/** The rules of a value's row. Its head holds the current value, so the past is never loaded. */
export const valueRules: RowRules<Value, ValueRowEvent> = {
  past: "none",
  absent: () => ({ seq: 0, namespace: "", key: "", valueJson: "", writer: "", atMs: 0, deleted: true, requests: [] }),
  restore(value, bytes, _entries, row) {
    const head = decodeHead<ValueHead>(bytes, format, row, ["value"]);
    value.seq = head.version;
    value.namespace = head.namespace;
    value.key = head.key;
    value.valueJson = head.value_json;
    value.writer = head.writer;
    value.atMs = head.updated_at_ms;
    value.deleted = head.deleted;
    value.requests = head.requests;
  },
  evolve,
  head(value) {
    const head: ValueHead = {
      format,
      kind: "value",
      namespace: value.namespace,
      key: value.key,
      value_json: value.valueJson,
      version: value.seq,
      writer: value.writer,
      updated_at_ms: value.atMs,
      deleted: value.deleted,
      requests: value.requests,
    };
    return JSON.stringify(head);
  },
  indexKeys: () => [],
  trimBelow: ({ seq }) => Math.max(1, Math.floor(seq / trimBlock) * trimBlock - keptVersions),
  bytes: (value) => 512 + 2 * value.valueJson.length,
};

const view = (value: Value): ValueRecord => ({
  namespace: value.namespace,
  key: value.key,
  valueJson: value.valueJson,
  version: value.seq,
  tsMs: value.atMs,
  writer: value.writer,
  deleted: value.deleted,
});

const isRepeat = (value: Value, context: Context): boolean =>
  context.requestHash !== "" && value.requests.includes(context.requestHash);

function changeEvents(verb: "changed" | "deleted", meta: ValueMeta, context: Context): ValueRowEvent[] {
  const dims = `${subjectSegment(meta.namespace)}/${subjectSegment(meta.key)}`;
  const remembered = context.requestHash === "" ? [] : [{ kind: "head/request", hash: context.requestHash } as const];
  return [{ kind: `value/${verb}`, ref: "v", dims, meta }, ...remembered];
}

/** WriteValue (R60). */
export function writeValue(request: WriteValueRequest, limits: Limits): Decide<Value, ValueRowEvent, ValueRecord> {
  const namespace = requiredId("namespace", request.namespace, limits);
  const key = requiredId("key", request.key, limits);
  const valueJson = json("value_json", request.valueJson, limits);
  const writer = optionalId("writer", request.writer, limits);
  const ifVersion = request.ifVersion === undefined ? -1 : integer("if_version", request.ifVersion);
  return (value, context) => {
    if (isRepeat(value, context)) return accept([], view(value));
    const matches = ifVersion === 0 ? value.deleted : ifVersion === value.seq;
    if (ifVersion >= 0 && !matches) {
      throw new TapeError(
        "VERSION_MISMATCH",
        `value ${namespace}/${key} is ${value.deleted ? "absent" : `at version ${value.seq}`}, not ${ifVersion === 0 ? "absent" : `at ${ifVersion}`}; read it and try again`,
        { ids: { namespace, key, current_version: String(value.seq) } },
      );
    }
    const version = value.seq + 1;
    const meta = { namespace, key, version, writer, value: { namespace, key, value_json: valueJson, version } };
    const record = { namespace, key, valueJson, version, tsMs: context.now, writer, deleted: false };
    return accept(changeEvents("changed", meta, context), record);
  };
}

/** DeleteValue (R60). */
export function deleteValue(
  request: DeleteValueRequest,
  limits: Limits,
): Decide<Value, ValueRowEvent, DeleteValueResponse> {
  const namespace = requiredId("namespace", request.namespace, limits);
  const key = requiredId("key", request.key, limits);
  return (value, context) => {
    if (isRepeat(value, context)) return accept([], { deleted: value.deleted, version: value.seq });
    if (value.deleted) return accept([], { deleted: false, version: value.seq });
    const version = value.seq + 1;
    return accept(changeEvents("deleted", { namespace, key, version, writer: "", deleted: true }, context), {
      deleted: true,
      version,
    });
  };
}

/** GetValue: a deleted value is not found. */
export function getValue(request: GetValueRequest, limits: Limits): Decide<Value, ValueRowEvent, GetValueResponse> {
  requiredId("namespace", request.namespace, limits);
  requiredId("key", request.key, limits);
  return (value) => accept([], value.deleted ? { found: false } : { found: true, value: view(value) });
}

/**
 * The version that a stored entry made, as a watcher gets it; `before` is the entry of the version before, if kept.
 * Errors: STORE_CORRUPT, naming the row.
 */
export function valueEvent(
  entry: { readonly seq: number; readonly meta: string; readonly at: number },
  before: string | undefined,
  row: string,
): ValueEvent {
  const meta = metaOf(entry.meta, entry.seq, row);
  const previous = before === undefined ? undefined : metaOf(before, entry.seq - 1, row);
  return {
    value: {
      namespace: meta.namespace,
      key: meta.key,
      valueJson: meta.value?.value_json ?? "",
      version: meta.version,
      tsMs: entry.at,
      writer: meta.writer,
      deleted: meta.deleted === true,
    },
    prevVersion: meta.version - 1,
    prevValueJson: previous?.value?.value_json ?? "",
  };
}

function metaOf(text: string, seq: number, row: string): ValueMeta {
  let meta: Partial<ValueMeta> = {};
  try {
    meta = entryMeta(text);
  } catch {
    // Said below, with the row.
  }
  if (meta.version === seq) return meta as ValueMeta;
  throw new TapeError(
    "STORE_CORRUPT",
    `row ${row} cannot be read: its entry ${seq} is damaged; restore the store from a backup`,
  );
}
