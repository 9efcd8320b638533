import { TapeError } from "../../errors.ts";
import type { CallOptions, ClientOptions } from "../google/client-options.ts";
import { sparingTransport, type PackagePath } from "../google/transport.ts";

/** A mutation of one row, as Google's API names it. Source: google/bigtable/v2/data.proto. */
export type Mutation =
  | {
      readonly setCell: {
        readonly familyName: string;
        readonly columnQualifier: Buffer;
        /** Microseconds, whole milliseconds; -1: the service's clock. */
        readonly timestampMicros: number;
        readonly value: Uint8Array;
      };
    }
  | {
      readonly deleteFromColumn: {
        readonly familyName: string;
        readonly columnQualifier: Buffer;
        readonly timeRange?: { readonly endTimestampMicros: number };
      };
    }
  | { readonly deleteFromFamily: { readonly familyName: string } }
  | { readonly deleteFromRow: Record<string, never> };

/** A part of a cell as ReadRows sends it: what is absent is as in the chunk before. */
export interface CellChunk {
  readonly rowKey?: Uint8Array | string | null;
  readonly qualifier?: { readonly value?: Uint8Array | string | null } | null;
  readonly timestampMicros?: number | string | { toNumber(): number } | null;
  readonly value?: Uint8Array | string | null;
  /** More of this cell's value follows; a guess at its size. */
  readonly valueSize?: number | null;
  readonly resetRow?: boolean | null;
  readonly commitRow?: boolean | null;
}

/** A filter of ReadRows, as Google's API names it. */
export type Filter = Readonly<Record<string, unknown>>;

/** A call's answer that comes in parts. */
export type PartStream<T> = AsyncIterable<T> & { destroy(): unknown };

interface Target {
  readonly tableName: string;
  readonly appProfileId: string;
}

/** The part of Google's generated data client that is used here: one connection. */
export interface DataClient {
  initialize(): Promise<unknown>;
  readRows(
    request: Target & {
      readonly rows: {
        readonly rowKeys: readonly Buffer[];
        readonly rowRanges: readonly Readonly<Record<string, Buffer>>[];
      };
      readonly filter: Filter;
      readonly rowsLimit: number;
    },
    options: CallOptions,
  ): PartStream<{ readonly chunks?: readonly CellChunk[] | null }>;
  mutateRows(
    request: Target & {
      readonly entries: readonly { readonly rowKey: Buffer; readonly mutations: readonly Mutation[] }[];
    },
    options: CallOptions,
  ): PartStream<{
    readonly entries?:
      | readonly { readonly index?: unknown; readonly status?: { readonly code?: number | null } | null }[]
      | null;
  }>;
  checkAndMutateRow(
    request: Target & {
      readonly rowKey: Buffer;
      readonly predicateFilter: Filter;
      readonly trueMutations: readonly Mutation[];
      readonly falseMutations: readonly Mutation[];
    },
    options: CallOptions,
  ): Promise<readonly [{ readonly predicateMatched?: boolean | null }, ...unknown[]]>;
  readModifyWriteRow(
    request: Target & { readonly rowKey: Buffer; readonly rules: readonly Readonly<Record<string, unknown>>[] },
    options: CallOptions,
  ): Promise<
    readonly [
      {
        readonly row?: {
          readonly families?:
            | readonly {
                readonly columns?: readonly { readonly cells?: readonly CellChunk[] | null }[] | null;
              }[]
            | null;
        } | null;
      },
      ...unknown[],
    ]
  >;
  pingAndWarm(
    request: { readonly name: string; readonly appProfileId: string },
    options: CallOptions,
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** A table as the admin API describes it. */
export interface TableInfo {
  readonly columnFamilies?: Readonly<
    Record<string, { readonly gcRule?: { readonly maxNumVersions?: number | null } | null }>
  > | null;
}

/** The part of Google's generated table admin client that is used here. */
export interface TableAdminClient {
  getTable(
    request: { readonly name: string; readonly view: "SCHEMA_VIEW" },
    options: CallOptions,
  ): Promise<readonly [TableInfo, ...unknown[]]>;
  createTable(
    request: { readonly parent: string; readonly tableId: string; readonly table: TableInfo },
    options: CallOptions,
  ): Promise<unknown>;
  modifyColumnFamilies(
    request: { readonly name: string; readonly modifications: readonly Readonly<Record<string, unknown>>[] },
    options: CallOptions,
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** An app profile as the admin API describes it. */
interface AppProfileInfo {
  readonly singleClusterRouting?: {
    readonly clusterId?: string | null;
    readonly allowTransactionalWrites?: boolean | null;
  } | null;
  readonly multiClusterRoutingUseAny?: unknown;
}

/** The part of Google's generated instance admin client that is used here. */
export interface InstanceAdminClient {
  getAppProfile(
    request: { readonly name: string },
    options: CallOptions,
  ): Promise<readonly [AppProfileInfo, ...unknown[]]>;
  close(): Promise<void>;
}

/** Google's library, and what its clients need to reach a place. */
export interface Driver {
  readonly dataClient: (options: ClientOptions) => DataClient;
  readonly tableAdmin: (options: ClientOptions) => TableAdminClient;
  readonly instanceAdmin: (options: ClientOptions) => InstanceAdminClient;
}

type Generated<Client> = new (options: ClientOptions, transport: object) => Client;

interface GeneratedClients {
  readonly BigtableClient: Generated<DataClient>;
  readonly BigtableTableAdminClient: Generated<TableAdminClient>;
  readonly BigtableInstanceAdminClient: Generated<InstanceAdminClient>;
}

/** From here to the package that makes the clients. */
export const clientPackages: PackagePath = ["@google-cloud/bigtable"];

/**
 * Loads Google's library: an optional peer of 200 MB that takes 300 ms and 60 MB of memory, so only for this scheme. Its
 * generated clients are used, not the layer above them, which sends calls again by rules of its own and guesses at the
 * types of cells. Errors: DRIVER_MISSING.
 */
export async function loadDriver(load: () => Promise<unknown> = importClients): Promise<Driver> {
  try {
    // What is written here by hand is checked against the emulator, call by call; the library's own types are 2 MB.
    const clients = (await load()) as GeneratedClients;
    const transport = sparingTransport(clientPackages);
    return {
      dataClient: (options) => new clients.BigtableClient(options, transport),
      tableAdmin: (options) => new clients.BigtableTableAdminClient(options, transport),
      instanceAdmin: (options) => new clients.BigtableInstanceAdminClient(options, transport),
    };
  } catch (cause) {
    throw new TapeError(
      "DRIVER_MISSING",
      "bigtable:// needs @google-cloud/bigtable, which cannot be loaded; run: npm install @google-cloud/bigtable@6",
      { cause },
    );
  }
}

const importClients = (): Promise<unknown> => import("@google-cloud/bigtable/build/src/v2/index.js");
