import { TapeError } from "../../errors.ts";
import { maskUrl } from "../mask-url.ts";

/** What a store URL says. */
export interface BigtableTarget {
  readonly project: string;
  readonly instance: string;
  readonly table: string;
  /** Default: the instance's own, `default`. */
  readonly appProfile: string | undefined;
  /** Begins every row key, so that several journals can live in one table. Default: none. */
  readonly prefix: string;
  /** The identity that the journal must have; it is then never created. Default: any. */
  readonly journal: string | undefined;
  /** How far the feed stays behind now, milliseconds; chosen when the journal is created. Default: as it is. */
  readonly feedLagMs: number | undefined;
  /** Connections to the service. */
  readonly channels: number;
  /** `host:port` of an emulator. Default: the service, or what `BIGTABLE_EMULATOR_HOST` names. */
  readonly emulator: string | undefined;
}

/** The shortest feed lag: half of it is for the network, half for the clocks. */
const shortestLagMs = 50;
const longestLagMs = 60_000;
const mostChannels = 64;
const defaultChannels = 4;

const rules = {
  project: /^[a-z][a-z0-9.:-]{0,98}$/,
  instance: /^[a-z][a-z0-9-]{0,62}$/,
  table: /^[A-Za-z0-9_.-]{1,50}$/,
  appProfile: /^[A-Za-z0-9_.-]{1,50}$/,
  prefix: /^[A-Za-z0-9_.-]{1,64}$/,
  journal: /^[A-Za-z0-9_-]{1,64}$/,
  emulator: /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/,
} as const;

const parameters = ["appProfile", "prefix", "journal", "feedLagMs", "channels", "emulator"] as const;

/**
 * Reads `bigtable://project/instance/table?appProfile=...&prefix=...&journal=...&feedLagMs=...&channels=...&emulator=...`.
 * Errors: STORE_URL_INVALID.
 */
export function parseBigtableUrl(url: string): BigtableTarget {
  const refuse = (why: string): TapeError =>
    new TapeError("STORE_URL_INVALID", `store URL ${JSON.stringify(maskUrl(url))} is not valid: ${why}`);
  const match = /^bigtable:\/\/([^?#]*)(?:\?([^#]*))?$/i.exec(url);
  if (match === null) throw refuse("it must be bigtable://project/instance/table");
  const [project = "", instance = "", table = "", ...rest] = (match[1] ?? "").split("/");
  if (table === "" || rest.length > 0) throw refuse("it must be bigtable://project/instance/table");
  const given = parametersOf(match[2] ?? "", refuse);
  const text = (name: keyof typeof rules & (typeof parameters)[number]): string | undefined => {
    const value = given.get(name);
    return value === undefined ? undefined : checked(name, value, refuse);
  };
  const number = (name: "feedLagMs" | "channels", lowest: number, highest: number): number | undefined => {
    const value = given.get(name);
    if (value === undefined) return undefined;
    const parsed = /^\d{1,9}$/.test(value) ? Number(value) : -1;
    if (parsed < lowest || parsed > highest)
      throw refuse(`${name} must be a whole number from ${lowest} to ${highest}`);
    return parsed;
  };
  return Object.freeze({
    project: checked("project", project, refuse),
    instance: checked("instance", instance, refuse),
    table: checked("table", table, refuse),
    appProfile: text("appProfile"),
    prefix: text("prefix") ?? "",
    journal: text("journal"),
    feedLagMs: number("feedLagMs", shortestLagMs, longestLagMs),
    channels: number("channels", 1, mostChannels) ?? defaultChannels,
    emulator: text("emulator"),
  });
}

type Refuse = (why: string) => TapeError;

function checked(name: keyof typeof rules, value: string, refuse: Refuse): string {
  if (!rules[name].test(value)) throw refuse(`the ${name} must match ${rules[name].source}`);
  return value;
}

function parametersOf(query: string, refuse: Refuse): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pair of query.split("&").filter((part) => part !== "")) {
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    if (!parameters.some((known) => known === name)) {
      throw refuse(`there is no such parameter; there are ${parameters.join(", ")}`);
    }
    if (at < 0 || found.has(name)) throw refuse(`${name} must be given once, with a value`);
    found.set(name, pair.slice(at + 1));
  }
  return found;
}
