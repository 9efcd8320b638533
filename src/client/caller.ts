import { TapeError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { NounCodec } from "../rpc/noun-codec.ts";
import type { RpcName } from "../rpc/rpc-methods.ts";
import { backoffMs, type Backoff } from "./backoff.ts";
import { callMetadata, isHeaderText } from "./call-metadata.ts";
import { CallScope } from "./call-scope.ts";
import { leavable } from "./leavable.ts";
import type { Timers } from "./timers.ts";
import {
  endOf,
  type Metadata,
  type ReplyMetadata,
  type Transport,
  type WireCall,
  type WireReply,
} from "./transport.ts";

/** What a {@link Caller} is made of; all defaults are filled in. */
export interface CallerOptions {
  readonly transport: Transport;
  readonly timers: Timers;
  readonly token: string | (() => string | Promise<string>) | undefined;
  /** The headers that carry it, each as `Bearer <token>`. */
  readonly tokenHeaders: readonly string[];
  /** Of unary calls, all attempts together. */
  readonly timeoutMs: number;
  readonly retries: Backoff & { readonly maxAttempts: number };
}

/** An entry of the table of RPCs, as far as a call needs it. */
export interface Method {
  readonly name: RpcName;
  readonly path: string;
  readonly request: NounCodec<object>;
  readonly response: NounCodec<object>;
}

/** A noun and the headers it came with. */
export interface Reply {
  readonly noun: object;
  readonly metadata: ReplyMetadata;
}

/** How a broken stream goes on, so that no item is skipped and none comes twice. */
export interface Resumption<Request, Item> {
  /** The request for everything behind the item. */
  after(request: Request, last: Item): Request;
  /** Whether the server sent again what was delivered before. */
  repeated(item: Item, last: Item): boolean;
  /** The item as delivered: with what the headers say about it, if it is the first one that came with them. */
  complete?(item: Item, headers: ReplyMetadata, first: boolean): object;
}

/** Calls with deadline, retries, request ids and credentials: all that is the same for every RPC. */
export class Caller {
  readonly #options: CallerOptions;
  readonly #streams = new Set<CallScope>();
  #unaryCalls = 0;
  #whenIdle: () => void = () => undefined;
  #closed: Promise<void> | undefined;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** One request, one answer; tried again where that may help, which is always safe (R3). */
  async unary(method: Method, request: object, options: CallOptions): Promise<Reply> {
    const scope = this.#begin(method.name, options, this.#options.timeoutMs);
    this.#unaryCalls += 1;
    try {
      const message = method.request.encode(request);
      // Made once: every attempt carries the same request id.
      const metadata = callMetadata(method.name, request, options);
      for (let failures = 1; ; failures++) {
        try {
          const call = await this.#attempt(method, message, metadata, scope);
          return decodeReply(method, await this.#options.transport.unary(call));
        } catch (error) {
          await this.#pause(error, failures, scope);
        }
      }
    } finally {
      scope.release();
      this.#unaryCalls -= 1;
      if (this.#unaryCalls === 0) this.#whenIdle();
    }
  }

  /**
   * The items of a stream. A broken one is taken up behind the last item delivered: for as long as it takes once the
   * server has been there, by the rules of a unary call before. Every iteration is a call of its own; leaving it
   * cancels the RPC at once, also while the next item is awaited.
   */
  stream(
    method: Method,
    request: object,
    options: CallOptions,
    resumption: Resumption<object, object>,
  ): AsyncIterable<object> {
    return leavable(() => {
      const scope = this.#begin(method.name, options, Infinity);
      this.#streams.add(scope);
      const release = (): void => {
        scope.release();
        this.#streams.delete(scope);
      };
      return { items: this.#items(method, request, options, resumption, scope), scope, release };
    });
  }

  /** Ends streams, waits for the unary calls under way, which are not tried again, and closes the transport. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const scope of this.#streams) scope.end(closedError());
    if (this.#unaryCalls > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    await this.#options.transport.close();
  }

  async *#items(
    method: Method,
    request: object,
    options: CallOptions,
    resumption: Resumption<object, object>,
    scope: CallScope,
  ): AsyncGenerator<object, void, undefined> {
    const { timers, transport } = this.#options;
    const metadata = callMetadata(method.name, request, options);
    let last: object | undefined;
    let hasWorked = false;
    for (let failures = 1; ; failures++) {
      let reachedAt = Infinity;
      let worked = false;
      let first = true;
      try {
        const rest = last === undefined ? request : resumption.after(request, last);
        const call = await this.#attempt(method, method.request.encode(rest), metadata, scope);
        const replies = transport.stream({ ...call, onReached: () => (reachedAt = timers.now()) });
        for await (const wireReply of replies) {
          worked = true;
          failures = 1;
          const { noun, metadata: headers } = decodeReply(method, wireReply);
          if (last !== undefined && resumption.repeated(noun, last)) continue;
          last = noun;
          yield resumption.complete?.(noun, headers, first) ?? noun;
          first = false;
        }
        return;
      } catch (error) {
        // A quiet stream brings nothing, so its having lasted is all there is to see that it worked.
        if (timers.now() - reachedAt >= quietMs) {
          worked = true;
          failures = 1;
        }
        hasWorked ||= worked;
        // It outlasted the token that it was opened with, which is no fault: a function gives the next one.
        if (worked && isExpiry(error) && typeof this.#options.token === "function") continue;
        await this.#pause(error, failures, scope, hasWorked);
      }
    }
  }

  #begin(name: string, options: CallOptions, timeoutMs: number): CallScope {
    if (this.#closed !== undefined) throw closedError();
    const { timers } = this.#options;
    return new CallScope({ name, timers, signal: options.signal, timeoutMs: options.timeoutMs ?? timeoutMs });
  }

  async #attempt(
    method: { readonly path: string },
    message: Uint8Array,
    metadata: Metadata,
    scope: CallScope,
  ): Promise<WireCall> {
    const { token } = this.#options;
    const known = typeof token === "function" ? await unlessEnded(renew(token), scope.signal) : token;
    return {
      path: method.path,
      metadata: known === undefined ? metadata : { ...metadata, ...this.#credentials(known) },
      message,
      timeoutMs: scope.timeLeftMs,
      signal: scope.signal,
    };
  }

  #credentials(token: string): Metadata {
    if (!isHeaderText(token)) {
      throw new TapeError("CREDENTIALS_INVALID", "The client's token is empty or holds what no header can carry.");
    }
    return Object.fromEntries(this.#options.tokenHeaders.map((name) => [name, `Bearer ${token}`]));
  }

  /** Waits before the next attempt, or throws the error when there must be none. */
  async #pause(error: unknown, failures: number, scope: CallScope, untilItWorks = false): Promise<void> {
    if (scope.signal.aborted) throw endOf(scope.signal);
    if (this.#closed !== undefined || !(error instanceof TapeError && error.retryable)) throw error;
    const { retries, timers } = this.#options;
    const limited = !untilItWorks || retries.maxAttempts === 1;
    if (limited && failures >= retries.maxAttempts) throw error;
    scope.lastError = error;
    const ms = backoffMs(failures, retries, timers.random());
    if (ms >= (scope.timeLeftMs ?? Infinity)) throw error;
    await scope.pause(ms);
    // Closed while it waited.
    if (this.#closed !== undefined) throw error;
  }
}

/** After this long a stream without items has been accepted. */
const quietMs = 1_000;

function decodeReply(method: Method, reply: WireReply): Reply {
  try {
    return { noun: method.response.decode(reply.message), metadata: reply.metadata };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TapeError(
      "INTERNAL",
      `The server's answer to ${method.name} cannot be read (${why}). Are client and server of one version?`,
      { cause },
    );
  }
}

async function renew(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    if (cause instanceof TapeError) throw cause;
    throw new TapeError("CREDENTIALS_MISSING", "The token function of the client failed, so the call was not sent.", {
      cause,
    });
  }
}

/** A token that does not come must not outlast the call's deadline. */
function unlessEnded<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(endOf(signal));
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

function isExpiry(error: unknown): boolean {
  return error instanceof TapeError && error.reason === "CREDENTIALS_EXPIRED";
}

function closedError(): TapeError {
  return new TapeError("SHUTTING_DOWN", "The client is closed.");
}
