import type { DescMethod } from "@bufbuild/protobuf";
import type { Inspect } from "../model/inspect.ts";
import type { Tape } from "../model/tape.ts";
import { Inspect as InspectService } from "./gen/tape/v1/inspect_pb.ts";
import { Tape as TapeService } from "./gen/tape/v1/tape_pb.ts";
import { nounCodec, type NounCodec } from "./noun-codec.ts";

/** The name of a method of `tape.v1.Tape`, which is the name of its RPC with a small first letter. */
type TapeRpcName = Exclude<keyof Tape, "close" | "inspect" | symbol>;
/** The name of a method of `tape.v1.Inspect`, likewise. No method of one service is named like one of the other. */
export type InspectRpcName = keyof Inspect;
/** The name of any method. */
export type RpcName = TapeRpcName | InspectRpcName;

/** All methods by name. */
type Methods = Pick<Tape, TapeRpcName> & Inspect;

/** The request of a method. */
export type RpcRequest<Name extends RpcName> = NonNullable<Parameters<Methods[Name]>[0]>;

/**
 * What a method gives beside the message of its RPC: it travels as metadata. GetRunDetail has its epoch in the message.
 */
type Metadata<Name extends RpcName> = Name extends "getRunDetail"
  ? never
  : "leaseEpoch" | "diverged" | "gap" | "keysRead" | "rowsRead";

/** The response of a method, or one item of its stream, as far as it is the message of its RPC. */
export type RpcResponse<Name extends RpcName> =
  ReturnType<Methods[Name]> extends Promise<infer Noun> | AsyncIterable<infer Noun>
    ? Omit<Noun, Metadata<Name>>
    : never;

/** The methods whose response is a stream. */
export type StreamingRpcName = {
  [Name in RpcName]: ReturnType<Methods[Name]> extends AsyncIterable<unknown> ? Name : never;
}[RpcName];

/** How one RPC travels. */
export interface RpcMethod<Name extends RpcName = RpcName> {
  readonly name: Name;
  /** `/tape.v1.Tape/BeginRun`, `/tape.v1.Inspect/ListRuns` */
  readonly path: string;
  readonly kind: Name extends StreamingRpcName ? "server_streaming" : "unary";
  readonly desc: DescMethod;
  readonly request: NounCodec<RpcRequest<Name>>;
  readonly response: NounCodec<RpcResponse<Name>>;
}

/** All RPCs of `tape.v1.Tape` and `tape.v1.Inspect`, by method of {@link Tape} or {@link Inspect}. */
// Made from the descriptors; rpc-methods.test.ts checks that names and nouns are those of the interfaces.
export const rpcMethods = Object.freeze(
  Object.fromEntries(
    [...TapeService.methods, ...InspectService.methods].map((method) => [method.localName, rpcMethod(method)]),
  ),
) as { readonly [Name in RpcName]: RpcMethod<Name> };

const inspectNames: ReadonlySet<string> = new Set(InspectService.methods.map((method) => method.localName));

/** Whether a method is one of `tape.v1.Inspect`. */
export const isInspectName = (name: RpcName): name is InspectRpcName => inspectNames.has(name);

function rpcMethod(desc: DescMethod): object {
  return Object.freeze({
    name: desc.localName,
    path: `/${desc.parent.typeName}/${desc.name}`,
    kind: desc.methodKind,
    desc,
    request: nounCodec(desc.input),
    response: nounCodec(desc.output),
  });
}
