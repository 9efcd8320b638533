import type { IncomingHttpHeaders } from "node:http";
import type { Span } from "@opentelemetry/api";
import { TapeError, toTapeError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Tape } from "../model/tape.ts";
import { isInspectName, rpcMethods, type InspectRpcName, type RpcMethod, type RpcName } from "../rpc/rpc-methods.ts";
import type { Admission } from "./authenticator.ts";
import type { CallDesk } from "./call-desk.ts";
import { readCallOptions, readTraceparent } from "./call-metadata.ts";
import { endServerSpan, startServerSpan, traceparentOf } from "./call-trace.ts";
import { Expiry } from "./expiry.ts";

/** Any one of the RPCs of `tape.v1.Tape` and `tape.v1.Inspect`; its kind tells the unary ones from the streaming ones. */
export type ServedMethod = { readonly [Name in RpcName]: RpcMethod<Name> }[RpcName];

/** The RPCs of both services by their paths. */
export const methodsByPath: ReadonlyMap<string, ServedMethod> = new Map(
  Object.values<ServedMethod>(rpcMethods).map((method) => [method.path, method]),
);

/**
 * One RPC from its headers to its outcome, the same for every protocol: authentication, limits, metadata, the call of
 * Tape, then one note in metrics, log and trace. The protocol's side calls {@link admit}, {@link receive} and
 * {@link hold} for what it buffers, {@link unary} or {@link stream}, then {@link succeed} or {@link fail}, and at last
 * {@link release}.
 */
export class ServerCall {
  readonly method: ServedMethod;
  readonly #desk: CallDesk;
  readonly #startedAt: number = performance.now();
  #options: CallOptions = {};
  #tape: Tape | undefined;
  #span: Span | undefined;
  #expiresAtMs: number | null = null;
  #expiry: Expiry | undefined;
  #runId = "";
  #heldBytes = 0;
  #begun = false;
  #ended = false;
  #released = false;

  constructor(desk: CallDesk, method: ServedMethod) {
    this.#desk = desk;
    this.method = method;
  }

  /**
   * Refuses what can be refused before the body is read: at once, or by the promise returned when the credential has to
   * be looked into. Throws, or rejects with, TapeError.
   */
  admit(headers: IncomingHttpHeaders): Promise<void> | undefined {
    const traceparent = readTraceparent(headers);
    const span = startServerSpan(this.method.desc.name, traceparent);
    this.#span = span;
    const enter = ({ access, expiresAtMs }: Admission): void => {
      this.#desk.check(this.method.kind);
      this.#options = { ...readCallOptions(headers), traceparent: traceparentOf(span, traceparent) };
      this.#expiresAtMs = expiresAtMs;
      this.#tape = this.#desk.ports.tapeOf(access);
    };
    const admission = this.#desk.ports.authenticate(headers.authorization);
    if (admission instanceof Promise) return admission.then(enter);
    enter(admission);
    return undefined;
  }

  /** Whether the request has not become a call (yet): it is neither begun nor refused. */
  get isUntouched(): boolean {
    return !this.#begun && !this.#ended;
  }

  /** Takes note of bytes of the request that are kept in memory. Throws OVERLOADED. */
  receive(bytes: number): void {
    this.hold(bytes);
    this.#desk.check(this.method.kind);
  }

  /** Takes note of bytes that are kept in memory until {@link release}. */
  hold(bytes: number): void {
    // Bytes that were on their way when the caller left come after the release.
    if (this.#released) return;
    this.#heldBytes += bytes;
    this.#desk.hold(bytes);
  }

  /** Throws SIZE_LIMIT for a message of more bytes than allowed (R7). */
  checkSize(bytes: number): void {
    const limit = this.#desk.ports.limits.maxMessageBytes;
    if (bytes <= limit) return;
    throw new TapeError("SIZE_LIMIT", `the message has ${bytes} bytes, at most ${limit} are allowed`, {
      ids: { field: "message", limit: String(limit), size: String(bytes) },
    });
  }

  /** Calls Tape. When the signal fires or the time is over, it ends at once; what was begun goes on (R9). */
  unary(request: object, patience: Pick<CallOptions, "signal" | "timeoutMs"> = {}): Promise<object> {
    const { method } = this;
    const [tape, options] = this.#begin(request);
    if (method.kind !== "unary") throw new TapeError("INTERNAL", `${method.name} is a stream`);
    return this.#desk.count<object>(() => {
      const all = { ...options, ...patience };
      if (isInspect(method)) return tape.inspect[method.name](request as never, all);
      return tape[method.name](request as never, all);
    });
  }

  /** Follows a stream of Tape until it ends, the reader leaves, the signal fires or the credential expires. */
  stream(request: object, signal: AbortSignal): AsyncIterable<object> {
    const { method } = this;
    const [tape, options] = this.#begin(request);
    if (method.kind === "unary") throw new TapeError("INTERNAL", `${method.name} is no stream`);
    const ending = this.#untilExpiry(signal);
    return this.#desk.countStream<object>(tape[method.name](request as never, { ...options, signal: ending }), ending);
  }

  /** Notes that the call went well; `result` is that of a unary call. */
  succeed(result?: object): void {
    if (result !== undefined && this.#runId === "") this.#runId = runIdOf(result);
    this.#end(undefined);
  }

  /**
   * Notes that the call failed and gives the error to send. What is no TapeError, and every INTERNAL one, is logged
   * under an error id and sent without its cause (R9).
   */
  fail(thrown: unknown): TapeError {
    const known = toTapeError(thrown);
    if (known.code !== "INTERNAL") {
      this.#end(known);
      return known;
    }
    const errorId = this.#desk.ports.ids.spanId();
    this.#end(known, errorId);
    return new TapeError(known.reason, `internal error ${errorId}: the server's log says more under that id`, {
      ids: { error_id: errorId },
    });
  }

  /** Gives back what was held; ends the call as CANCELLED if nothing else has. Idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#desk.hold(-this.#heldBytes);
    if (!this.#ended) this.#end(new TapeError("CANCELLED", "the caller left"));
  }

  /** A stream may stay open for days; what it was opened with may not be good for so long. */
  #untilExpiry(signal: AbortSignal): AbortSignal {
    if (this.#expiresAtMs === null) return signal;
    const expiry = new Expiry(this.#expiresAtMs, signal, this.#desk.ports.clock);
    this.#expiry = expiry;
    return expiry.signal;
  }

  #begin(request: object): [Tape, CallOptions] {
    this.#begun = true;
    this.#desk.check(this.method.kind);
    this.#runId = runIdOf(request);
    if (this.#tape === undefined) throw new TapeError("INTERNAL", "the call was not admitted");
    return [this.#tape, this.#options];
  }

  #end(error: TapeError | undefined, errorId?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#expiry?.stop();
    const ms = performance.now() - this.#startedAt;
    const rpc = this.method.desc.name;
    const { histogram, log } = this.#desk.ports;
    histogram.observe(rpc, error?.code ?? "OK", ms / 1000);
    if (this.#span !== undefined) endServerSpan(this.#span, this.#runId, error);
    const level = levelOf(error);
    if (!log.isLevelEnabled(level)) return;
    log[level](
      {
        rpc,
        code: error?.code ?? "OK",
        ms: Math.round(ms * 1000) / 1000,
        ...(this.#runId === "" ? {} : { runId: this.#runId }),
        ...(this.#options.traceparent === undefined ? {} : { trace: this.#options.traceparent.slice(3, 35) }),
        ...(error === undefined ? {} : { reason: error.reason }),
        ...(errorId === undefined ? {} : { errorId, err: error?.cause ?? error }),
      },
      error?.message ?? "call",
    );
  }
}

function isInspect(method: ServedMethod): method is Extract<ServedMethod, { readonly name: InspectRpcName }> {
  return isInspectName(method.name);
}

function levelOf(error: TapeError | undefined): "debug" | "info" | "warn" | "error" {
  if (error === undefined || error.code === "CANCELLED") return "debug";
  if (error.code === "INTERNAL") return "error";
  // That streams end when a server stops is how it should be.
  return error.code === "UNAVAILABLE" && error.reason !== "SHUTTING_DOWN" ? "warn" : "info";
}

function runIdOf(noun: object): string {
  if ("runId" in noun) return String(noun.runId);
  return "run" in noun && typeof noun.run === "object" && noun.run !== null ? runIdOf(noun.run) : "";
}
