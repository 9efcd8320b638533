import { TapeError } from "../errors.ts";

/** Where a server listens. */
export interface ListenAddress {
  /** Host name or IP address, IPv6 without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/* Each parser takes the text of one setting and the name to blame it under; a bad text is CONFIG_INVALID. */

/** One clear line about a setting that cannot be used. */
export function configError(setting: string, fault: string, cause?: unknown): TapeError {
  return new TapeError("CONFIG_INVALID", `${setting}: ${fault}`, { ids: { setting }, cause });
}

/** One of a closed list of words. */
export function parseChoice<T extends string>(text: string, setting: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw configError(setting, `"${text}" is none of ${choices.join(", ")}`);
  return found;
}

/** Yes or no. */
export function parseFlag(text: string, setting: string): boolean {
  return ["1", "true"].includes(parseChoice(text, setting, ["1", "true", "0", "false"]));
}

/** An integer within bounds, both inclusive. */
export function parseInteger(text: string, setting: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw configError(setting, `"${text}" is no whole number from ${min} to ${max}`);
}

const byteUnits: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

/** A size: `65536`, `64KiB`, `16MiB`, `1GiB`. */
export function parseBytes(text: string, setting: string, min: number, max: number): number {
  const [, digits = "", unit = ""] = /^(\d{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  const value = digits === "" ? Number.NaN : Number(digits) * (byteUnits.get(unit) ?? Number.NaN);
  if (value >= min && value <= max) return value;
  throw configError(setting, `"${text}" is no size from ${min} to ${max} bytes; write 65536, 64KiB or 16MiB`);
}

const timeUnits: ReadonlyMap<string, number> = new Map([
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** A length of time in whole minutes, hours or days, in milliseconds: `90d`, `36h`, `30m`; empty: `undefined`. */
export function parseTime(text: string, setting: string): number | undefined {
  if (text === "") return undefined;
  const [, digits = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const value = Number(digits) * (timeUnits.get(unit) ?? Number.NaN);
  if (value > 0) return value;
  throw configError(setting, `"${text}" is no length of time; write 90d, 36h or 30m`);
}

/** `host:port`, `[v6 address]:port`. */
export function parseListenAddress(text: string, setting: string): ListenAddress {
  const [, v6, name, digits = ""] = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? name;
  if (host === undefined || Number(digits) > 65_535) {
    throw configError(setting, `"${text}" is no host:port; write 127.0.0.1:7878 or [::1]:7878`);
  }
  return { host, port: Number(digits) };
}

/** The address as people and clients write it. */
export function formatAddress(address: ListenAddress): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
