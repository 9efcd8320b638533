import { TapeError } from "../../errors.ts";
import type { CallOptions, ClientOptions } from "../google/client-options.ts";
import { sparingTransport, type PackagePath } from "../google/transport.ts";

/** A value on the wire. INT64 is decimal text, BYTES base64, TIMESTAMP RFC 3339. Source: google/spanner/v1/type.proto. */
export interface WireValue {
  readonly stringValue?: string | null;
  readonly nullValue?: "NULL_VALUE" | 0 | null;
  /** Which of them it is, in answers. */
  readonly kind?: string;
}

/** Values in the order of the columns that were named. */
export interface WireList {
  readonly values: readonly WireValue[];
}

/** A range of keys; a key may be the beginning of one. */
export type KeyRange =
  | { readonly startClosed: WireList; readonly endClosed: WireList }
  | { readonly startClosed: WireList; readonly endOpen: WireList }
  | { readonly startOpen: WireList; readonly endClosed: WireList }
  | { readonly startOpen: WireList; readonly endOpen: WireList };

/** Which rows of a table. */
export interface KeySet {
  readonly keys?: readonly WireList[];
  readonly ranges?: readonly KeyRange[];
}

/** Rows to be written. */
interface Write {
  readonly table: string;
  readonly columns: readonly string[];
  readonly values: readonly WireList[];
}

/** A change that a commit makes, in order. Source: google/spanner/v1/mutation.proto. */
export type Mutation =
  | { readonly insert: Write }
  | { readonly update: Write }
  | { readonly insertOrUpdate: Write }
  | { readonly delete: { readonly table: string; readonly keySet: KeySet } };

/** A moment, as answers carry it. */
export interface WireTimestamp {
  readonly seconds?: number | string | { toNumber(): number } | null;
  readonly nanos?: number | null;
}

/** What an answer says about the transaction that it was read in. */
export interface TransactionInfo {
  readonly readTimestamp?: WireTimestamp | null;
}

/** A part of an answer that comes in parts. */
export interface PartialResult {
  readonly metadata?: {
    readonly transaction?: TransactionInfo | null;
    readonly rowType?: { readonly fields?: readonly unknown[] | null } | null;
  } | null;
  readonly values?: readonly WireValue[] | null;
  /** The last value goes on in the next part. */
  readonly chunkedValue?: boolean | null;
}

/** Which transaction a read belongs to. */
export interface ReadIn {
  readonly singleUse: { readonly readOnly: ReadOnly };
}

/** As of when. */
export type ReadOnly =
  | { readonly strong: true; readonly returnReadTimestamp: true }
  | { readonly readTimestamp: { readonly seconds: number; readonly nanos: number } };

interface ReadRequest {
  readonly session: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly keySet: KeySet;
  /** 0: all. */
  readonly limit: number;
  readonly transaction: ReadIn;
}

/** The part of Google's generated data client that is used here: one connection. */
export interface DataClient {
  initialize(): Promise<unknown>;
  batchCreateSessions(
    request: { readonly database: string; readonly sessionCount: number },
    options: CallOptions,
  ): Promise<readonly [{ readonly session?: readonly { readonly name?: string | null }[] | null }, ...unknown[]]>;
  deleteSession(request: { readonly name: string }, options: CallOptions): Promise<unknown>;
  streamingRead(request: ReadRequest, options: CallOptions): AsyncIterable<PartialResult>;
  commit(
    request: {
      readonly session: string;
      readonly mutations: readonly Mutation[];
      readonly singleUseTransaction: { readonly readWrite: Record<string, never> };
    },
    options: CallOptions,
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** Work that goes on at the service; the promise resolves when it is done. */
interface Operation {
  promise(): Promise<unknown>;
}

/** The part of Google's generated database admin client that is used here. */
export interface DatabaseAdminClient {
  getDatabase(
    request: { readonly name: string },
    options: CallOptions,
  ): Promise<readonly [{ readonly databaseDialect?: string | number | null }, ...unknown[]]>;
  createDatabase(
    request: { readonly parent: string; readonly createStatement: string },
    options: CallOptions,
  ): Promise<readonly [Operation, ...unknown[]]>;
  updateDatabaseDdl(
    request: { readonly database: string; readonly statements: readonly string[] },
    options: CallOptions,
  ): Promise<readonly [Operation, ...unknown[]]>;
  close(): Promise<void>;
}

/** The part of Google's generated instance admin client that is used here, on an emulator only. */
interface InstanceAdminClient {
  createInstance(
    request: {
      readonly parent: string;
      readonly instanceId: string;
      readonly instance: { readonly config: string; readonly displayName: string; readonly nodeCount: number };
    },
    options: CallOptions,
  ): Promise<readonly [Operation, ...unknown[]]>;
  close(): Promise<void>;
}

/** Google's library. */
export interface Driver {
  readonly dataClient: (options: ClientOptions) => DataClient;
  readonly databaseAdmin: (options: ClientOptions) => DatabaseAdminClient;
  readonly instanceAdmin: (options: ClientOptions) => InstanceAdminClient;
}

type Generated<Client> = new (options: ClientOptions, transport: object) => Client;

/** They are used, not the layer above them, which sends calls again by rules of its own. */
interface GeneratedClients {
  readonly SpannerClient: Generated<DataClient>;
  readonly DatabaseAdminClient: Generated<DatabaseAdminClient>;
  readonly InstanceAdminClient: Generated<InstanceAdminClient>;
}

/** From here to the package that makes the clients. */
export const clientPackages: PackagePath = ["@google-cloud/spanner", "@google-cloud/spanner-api"];

/** Loads Google's library: an optional peer that takes time and memory, so only for this scheme. Errors: DRIVER_MISSING. */
export async function loadDriver(): Promise<Driver> {
  try {
    const loaded: unknown = await import("@google-cloud/spanner/build/src/v1/index.js");
    // What is written here by hand is checked against the emulator, call by call.
    const clients = loaded as GeneratedClients;
    const transport = sparingTransport(clientPackages);
    return {
      dataClient: (options) => new clients.SpannerClient(options, transport),
      databaseAdmin: (options) => new clients.DatabaseAdminClient(options, transport),
      instanceAdmin: (options) => new clients.InstanceAdminClient(options, transport),
    };
  } catch (cause) {
    const message =
      "spanner:// needs @google-cloud/spanner, which cannot be loaded; run: npm install @google-cloud/spanner@8";
    throw new TapeError("DRIVER_MISSING", message, { cause });
  }
}
