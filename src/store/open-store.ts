import { TapeError } from "../errors.ts";
import type { BigtableTarget } from "./bigtable/bigtable-url.ts";
import { nothingToSay, type StoreExamination } from "./examination.ts";
import { maskUrl } from "./mask-url.ts";
import type { SpannerTarget } from "./spanner/spanner-url.ts";
import type { StoreObserver } from "./store-observer.ts";
import type { Store } from "./store.ts";

export { storeChecks, type StoreCheckId, type StoreExamination } from "./examination.ts";
export { maskUrl } from "./mask-url.ts";

const supported =
  "sqlite:<path> (a file), sqlite::memory: (SQLite in memory), memory: (plain memory, gone with the process), postgres://<user>@<host>/<database>, alloydb://<user>@<host>/<database>, bigtable://<project>/<instance>/<table>, spanner://<project>/<instance>/<database> (experimental)";

const inMemory = ":memory:";

/** What a store is given besides its URL. */
export interface StoreOptions {
  /** Whom the store tells what people should know about it. Default: nobody. */
  readonly observer?: StoreObserver;
  /**
   * Where Google's tools look for emulators (`BIGTABLE_EMULATOR_HOST`, `SPANNER_EMULATOR_HOST`), and where an experiment is
   * said to be wanted (`TAPE_SPANNER_EXPERIMENTAL`). Default: that of the process.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes the store that a URL names: the only place where a store is chosen. Loads its code, but connects to nothing:
 * `open()` or `migrate()` does. Errors: STORE_URL_INVALID.
 */
export async function createStore(url: string, options: StoreOptions = {}): Promise<Store> {
  try {
    return await storeOf(url, options);
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "STORE_URL_INVALID") throw error;
    throw new TapeError(error.reason, `${error.message}; there are: ${supported}`);
  }
}

/**
 * What the database behind a URL says of itself to whoever runs it. Connects to nothing before it is asked.
 * Errors: STORE_URL_INVALID.
 */
export async function examineStore(url: string, options: StoreOptions = {}): Promise<StoreExamination> {
  const environment = environmentOf(options);
  const { scheme, rest } = split(url);
  switch (scheme) {
    case "sqlite": {
      const { examineSqliteFile, examineSqliteMemory } = await import("./sqlite/examine-file.ts");
      return rest === inMemory ? examineSqliteMemory() : examineSqliteFile(sqlitePath(url, rest));
    }
    case "postgres":
    case "postgresql":
    case "alloydb": {
      const { examinePostgres } = await import("./postgres/examine-server.ts");
      return examinePostgres(url);
    }
    case "bigtable": {
      const { examineBigtable } = await import("./bigtable/examine-table.ts");
      return examineBigtable(url, environment["BIGTABLE_EMULATOR_HOST"] || undefined);
    }
    case "spanner": {
      const { examineSpanner } = await import("./spanner/examine-database.ts");
      return examineSpanner(url, environment["SPANNER_EMULATOR_HOST"] || undefined);
    }
    default:
      return nothingToSay;
  }
}

/** Google's tools look for emulators in the environment, also where the library is embedded. */
function environmentOf({ environment }: StoreOptions): Readonly<Record<string, string | undefined>> {
  // oxlint-disable-next-line node/no-process-env -- the place for it: see above
  return environment ?? process.env;
}

async function storeOf(url: string, options: StoreOptions): Promise<Store> {
  const environment = environmentOf(options);
  const { scheme, rest } = split(url);
  switch (scheme) {
    case "memory": {
      if (rest !== "") throw invalid(url, "memory: takes nothing behind it");
      const { MemoryStore } = await import("./memory/memory-store.ts");
      return new MemoryStore();
    }
    case "sqlite": {
      const path = rest === inMemory ? undefined : sqlitePath(url, rest);
      const { sqliteFileStore, sqliteMemoryStore } = await import("./sqlite/sqlite-store.ts");
      return path === undefined ? sqliteMemoryStore() : sqliteFileStore({ path });
    }
    case "postgres":
    case "postgresql":
    case "alloydb": {
      const { postgresStore } = await import("./postgres/postgres-store.ts");
      return postgresStore(url, options);
    }
    case "bigtable": {
      const { bigtableStore } = await import("./bigtable/bigtable-store.ts");
      return bigtableStore(url, { ...options, emulator: environment["BIGTABLE_EMULATOR_HOST"] || undefined });
    }
    case "spanner": {
      const { spannerStore } = await import("./spanner/spanner-store.ts");
      return spannerStore(url, {
        ...options,
        experimental: environment["TAPE_SPANNER_EXPERIMENTAL"] === "1",
        emulator: environment["SPANNER_EMULATOR_HOST"] || undefined,
      });
    }
    default:
      throw invalid(url, "there is no store of that kind");
  }
}

function split(url: string): { readonly scheme: string; readonly rest: string } {
  const match = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url);
  if (match !== null) return { scheme: (match[1] ?? "").toLowerCase(), rest: match[2] ?? "" };
  if (url === "memory") return { scheme: "memory", rest: "" };
  throw invalid(url, url === "" ? "it is empty" : "it has no scheme");
}

/** `sqlite:./tape.db`, `sqlite:/var/lib/tape.db`, `sqlite:///var/lib/tape.db`; `%` escapes as in every URL. */
function sqlitePath(url: string, rest: string): string {
  if (/[?#]/.test(rest)) {
    throw invalid(url, "SQLite takes no parameters; a ? or # in a file name is written %3F or %23");
  }
  if (rest.startsWith("//") && !rest.startsWith("///")) {
    throw invalid(url, "a SQLite file has no host; write sqlite:tape.db or sqlite:/absolute/tape.db");
  }
  const path = decodePath(url, rest.startsWith("///") ? rest.slice(2) : rest);
  if (path === "") throw invalid(url, "the path is missing");
  if (path.startsWith(inMemory)) throw invalid(url, "a database in memory is written sqlite::memory:");
  if (/\p{Cc}/u.test(path)) throw invalid(url, "the path holds control characters");
  return path;
}

function decodePath(url: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid(url, "a % that stands for itself is written %25");
  }
}

const invalid = (url: string, why: string): TapeError =>
  new TapeError("STORE_URL_INVALID", `store URL ${JSON.stringify(maskUrl(url))} is not valid: ${why}`);

/** Where a store is, as far as its URL says; nothing that lets anybody in. */
export type StorePlace =
  | { readonly kind: "memory" | "sqlite" }
  | {
      readonly kind: "postgres" | "alloydb";
      /** Name, address or socket folder; empty when an instance is named. */
      readonly host: string;
      readonly port: number;
      readonly database: string | undefined;
      /** `projects/P/locations/R/clusters/C/instances/I`. */
      readonly instance: string | undefined;
      /** Logs in with a token. */
      readonly iam: boolean;
    }
  | ({ readonly kind: "bigtable" } & Pick<BigtableTarget, "project" | "instance" | "table" | "appProfile" | "emulator">)
  | ({ readonly kind: "spanner" } & Pick<SpannerTarget, "project" | "instance" | "database" | "emulator">);

/** Reads a URL by the rules of its store, without making one. Errors: STORE_URL_INVALID. */
export async function placeOfStore(url: string): Promise<StorePlace> {
  const { scheme } = split(url);
  switch (scheme) {
    case "postgres":
    case "postgresql":
    case "alloydb": {
      const { parsePostgresUrl } = await import("./postgres/postgres-url.ts");
      const { kind, host, port, database, alloydb } = parsePostgresUrl(url);
      return { kind, host, port, database, instance: alloydb?.instance, iam: alloydb?.iam ?? false };
    }
    case "bigtable": {
      const { parseBigtableUrl } = await import("./bigtable/bigtable-url.ts");
      const { project, instance, table, appProfile, emulator } = parseBigtableUrl(url);
      return { kind: scheme, project, instance, table, appProfile, emulator };
    }
    case "spanner": {
      const { parseSpannerUrl } = await import("./spanner/spanner-url.ts");
      return { kind: scheme, ...parseSpannerUrl(url) };
    }
    default: {
      await createStore(url);
      return { kind: scheme === "sqlite" ? "sqlite" : "memory" };
    }
  }
}

/**
 * The column families of a Bigtable table with their rules, as the admin API tells them; for an emulator, which has no REST.
 * Undefined: there is no such table. Errors: DRIVER_MISSING, STORE_NOT_USABLE, STORE_UNAVAILABLE.
 */
export async function bigtableFamilies(place: Extract<StorePlace, { readonly kind: "bigtable" }>): Promise<unknown> {
  const { readFamilies } = await import("./bigtable/read-families.ts");
  return readFamilies(place);
}

/** Why Spanner is not to be relied on: the sentence with which a server refuses it. */
export async function spannerWarning(): Promise<string> {
  const { notForProduction } = await import("./spanner/experimental-gate.ts");
  return notForProduction().message;
}
