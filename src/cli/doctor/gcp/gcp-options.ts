import type { Endpoints } from "./google/endpoints.ts";

/** What `tape doctor --gcp` is told. */
export interface GcpOptions {
  /** The project's id. Default: that of the store URL, else `GOOGLE_CLOUD_PROJECT`, else that of the credentials. */
  readonly project?: string | undefined;
  /** Of the Cloud Run service. Default: `CLOUDSDK_RUN_REGION`, else the service is looked for in all regions. */
  readonly region?: string | undefined;
  /** The Cloud Run service. Default: `tape`. */
  readonly service?: string | undefined;
  /** The secret with the store URL. Default: the one that the service takes `TAPE_STORE` from. */
  readonly secret?: string | undefined;
  /** The address of the service account that the server should run as. Default: what it does run as is taken for right. */
  readonly serviceAccount?: string | undefined;
  /** Whether the server is meant to be reached from the internet. Default: it is not. */
  readonly publicIngress?: boolean | undefined;
  /**
   * The effective `TAPE_STORE`. A store in a file or in memory, as it is by default, is none that a Cloud Run service could
   * have: then the store is the one that the secret names.
   */
  readonly storeUrl: string;
  /** `GOOGLE_APPLICATION_CREDENTIALS`, `GOOGLE_CLOUD_PROJECT`, `CLOUDSDK_RUN_REGION` and the hosts of Google's emulators. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the APIs are, without a slash at the end. Default: Google's. */
  readonly endpoints?: Partial<Endpoints>;
  /** For one request, or for getting a token, milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** The longest pause before a GET is repeated, milliseconds. Default 2,000. */
  readonly longestPauseMs?: number;
  /** Loads Google's library for credentials. Default: `google-auth-library`, an optional peer. */
  readonly loadLibrary?: () => Promise<unknown>;
}

export const defaultTimeoutMs = 10_000;
export const defaultLongestPauseMs = 2000;
export const defaultService = "tape";
