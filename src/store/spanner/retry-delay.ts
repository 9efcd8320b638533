const retryInfoKey = "google.rpc.retryinfo-bin";
const firstPauseMs = 10;
const longestPauseMs = 1000;

interface WithMetadata {
  readonly metadata?: { get(key: string): readonly (string | Uint8Array)[] };
}

/**
 * How long to wait before an aborted transaction begins anew, milliseconds: what the service says, otherwise twice as
 * long each time, up to a second, half of it by chance.
 */
export function retryDelay(error: unknown, attempt: number, random: () => number = Math.random): number {
  const told = toldDelay(error);
  if (told !== undefined) return told;
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 20));
  return pauseMs / 2 + (pauseMs / 2) * random();
}

function toldDelay(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const [info] = (error as WithMetadata).metadata?.get(retryInfoKey) ?? [];
  if (info === undefined || typeof info === "string") return undefined;
  // RetryInfo { Duration retry_delay = 1 }, Duration { int64 seconds = 1; int32 nanos = 2 }.
  const [duration] = fieldsOf(info).get(1) ?? [];
  if (!(duration instanceof Uint8Array)) return undefined;
  const fields = fieldsOf(duration);
  const number = (field: number): number => {
    const [value = 0] = fields.get(field) ?? [];
    return typeof value === "number" ? value : 0;
  };
  return number(1) * 1000 + number(2) / 1e6;
}

/** The fields of a protobuf message that holds numbers and messages only. */
function fieldsOf(message: Uint8Array): ReadonlyMap<number, readonly (number | Uint8Array)[]> {
  const found = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < message.length; factor *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.length) {
    const tag = varint();
    const isMessage = tag % 8 === 2;
    const value = varint();
    const field = Math.floor(tag / 8);
    const kept = isMessage ? message.subarray(at, at + value) : value;
    if (isMessage) at += value;
    found.set(field, [...(found.get(field) ?? []), kept]);
  }
  return found;
}
