import type { TapeErrorReason } from "../../errors.ts";
import type { PackedBatch } from "./packed-batch.ts";

/** What the writer thread is started with. */
export interface WriterStart {
  readonly path: string;
  readonly busyTimeoutMs: number;
}

/** To the writer thread. Requests are answered one by one, in order. */
export type WriterRequest = { readonly kind: "append"; readonly batch: PackedBatch } | { readonly kind: "close" };

/** From the writer thread; `ready` or `refused` comes once, unasked. */
export type WriterReply =
  | { readonly kind: "ready" }
  /** See {@link BatchFate}. Errors cross threads as text. */
  | { readonly kind: "appended"; readonly outcomes: Float64Array<ArrayBuffer>; readonly cause?: string }
  | { readonly kind: "refused"; readonly reason: TapeErrorReason; readonly message: string; readonly cause: string }
  | { readonly kind: "closed" };
