import type { CallOptions } from "../model/call.ts";
import type { Tape } from "../model/tape.ts";
import {
  isInspectName,
  rpcMethods,
  type RpcMethod,
  type RpcName,
  type RpcRequest,
  type RpcResponse,
  type StreamingRpcName,
} from "../rpc/rpc-methods.ts";
import type { Caller, Resumption } from "./caller.ts";
import { text } from "./grpc-answer.ts";
import type { ReplyMetadata } from "./transport.ts";

/** How each stream goes on after a break: behind the last item, by what numbers its items. */
const resumptions: { readonly [Name in StreamingRpcName]: Resumption<RpcRequest<Name>, RpcResponse<Name>> } = {
  subscribeRun: {
    after: (request, last) => ({ ...request, fromSeq: last.seq + 1 }),
    repeated: (item, last) => item.seq <= last.seq,
  },
  subscribeEvents: feedResumption(),
  subscribeBySubject: feedResumption(),
  watchValue: {
    after: (request, last) => ({ ...request, fromVersion: last.value.version }),
    repeated: (item, last) => item.value.version <= last.value.version,
    complete: (item, headers, first) => ({ ...item, gap: first && text(headers, "tape-gap") === "1" }),
  },
};

function feedResumption<Request extends { readonly fromGlobalSeq?: number | undefined }>(): Resumption<
  Request,
  { readonly globalSeq: number }
> {
  return {
    after: (request, last) => ({ ...request, fromGlobalSeq: last.globalSeq }),
    repeated: (item, last) => item.globalSeq <= last.globalSeq,
  };
}

/** What travels in the headers of an answer and is part of the result. */
const fromHeaders: { readonly [Name in RpcName]?: (headers: ReplyMetadata) => object } = {
  beginRun: leaseEpoch,
  resumeRun: leaseEpoch,
  recordDecision: diverged,
  beginEffect: diverged,
  listRuns: cost,
};

function leaseEpoch(headers: ReplyMetadata): object {
  // Absent, and so empty, means that no lease was given: 0.
  return { leaseEpoch: Number(text(headers, "tape-lease-epoch")) };
}

function diverged(headers: ReplyMetadata): object {
  return { diverged: text(headers, "tape-divergence") === "1" };
}

function cost(headers: ReplyMetadata): object {
  return { keysRead: Number(text(headers, "tape-keys-read")), rowsRead: Number(text(headers, "tape-rows-read")) };
}

/** The {@link Tape} of a server: a method for every RPC, and the end of it all. */
export function remoteTape(caller: Caller, close: () => Promise<void>): Tape {
  const methods = Object.values(rpcMethods);
  const calls = (some: readonly RpcMethod[]): object =>
    Object.fromEntries(some.map((method) => [method.name, call(caller, method)]));
  const inspect = Object.freeze(calls(methods.filter(({ name }) => isInspectName(name))));
  // The one place where the table of RPCs becomes the interface; `RpcMethod` ties each name to its nouns.
  return Object.freeze({
    ...calls(methods.filter(({ name }) => !isInspectName(name))),
    inspect,
    close,
    [Symbol.asyncDispose]: close,
  }) as Tape;
}

function call(caller: Caller, method: RpcMethod): object {
  return method.kind === "unary" ? unary(caller, method) : stream(caller, method, method.name as StreamingRpcName);
}

function unary(caller: Caller, method: RpcMethod): (request?: object, options?: CallOptions) => Promise<object> {
  const extras = fromHeaders[method.name];
  return async (request = {}, options = {}) => {
    const { noun, metadata } = await caller.unary(method, request, options);
    return extras === undefined ? noun : { ...noun, ...extras(metadata) };
  };
}

function stream(
  caller: Caller,
  method: RpcMethod,
  name: StreamingRpcName,
): (request: object, options?: CallOptions) => AsyncIterable<object> {
  return (request, options = {}) => caller.stream(method, request, options, resumptions[name]);
}
