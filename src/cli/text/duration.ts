const units: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
];

/** A length of time for people, in two units at most: `0.012s`, `4.200s`, `3m 05s`, `2h 10m`, `5d 03h`. */
export function duration(ms: number): string {
  const large = units.findIndex(([, size]) => ms >= size);
  const [first, second] = units.slice(large);
  if (large < 0 || first === undefined || second === undefined) return `${(ms / 1000).toFixed(3)}s`;
  const rest = Math.floor((ms % first[1]) / second[1]);
  return `${Math.floor(ms / first[1])}${first[0]} ${String(rest).padStart(2, "0")}${second[0]}`;
}

/** Milliseconds of `250ms`, `10s`, `5m`, `2h` or `7d`; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, name] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count === undefined) return undefined;
  const size = units.find(([unit]) => unit === name)?.[1] ?? 1;
  return Math.round(Number(count) * size);
}

/** A moment as people write it, in their own time zone: `2026-11-23 12:03:11.123`. */
export function moment(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${timeOfDay(ms)}`;
}

/** The end of {@link moment}: `12:03:11.123`. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
