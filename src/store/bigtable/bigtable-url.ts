import { emulatorHost, parseResourceUrl, projectId } from "../google/resource-url.ts";

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

const defaultChannels = 4;
const name = /^[A-Za-z0-9_.-]{1,50}$/;

const form = {
  form: "bigtable://project/instance/table",
  parts: { project: projectId, instance: /^[a-z][a-z0-9-]{0,62}$/, table: name },
  parameters: {
    appProfile: name,
    prefix: /^[A-Za-z0-9_.-]{1,64}$/,
    journal: /^[A-Za-z0-9_-]{1,64}$/,
    // Nearly half of it is for the network, half for the clocks.
    feedLagMs: [50, 60_000],
    channels: [1, 64],
    emulator: emulatorHost,
  },
} as const;

/**
 * Reads `bigtable://project/instance/table?appProfile=...&prefix=...&journal=...&feedLagMs=...&channels=...&emulator=...`.
 * Errors: STORE_URL_INVALID.
 */
export function parseBigtableUrl(url: string): BigtableTarget {
  const { parts, text, number } = parseResourceUrl(url, form);
  return Object.freeze({
    ...parts,
    appProfile: text("appProfile"),
    prefix: text("prefix") ?? "",
    journal: text("journal"),
    feedLagMs: number("feedLagMs"),
    channels: number("channels") ?? defaultChannels,
    emulator: text("emulator"),
  });
}
