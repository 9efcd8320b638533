import type { DescMethod } from "@bufbuild/protobuf";
import type { Tape } from "../model/tape.ts";
import { Tape as TapeService } from "./gen/tape/v1/tape_pb.ts";
import { nounCodec, type NounCodec } from "./noun-codec.ts";

/** The name of a method of {@link Tape}, which is the name of its RPC with a small first letter. */
export type RpcName = Exclude<keyof Tape, "close" | symbol>;

/** The request of a method. */
export type RpcRequest<Name extends RpcName> = NonNullable<Parameters<Tape[Name]>[0]>;

/** What a method gives beside the message of its RPC: it travels as metadata. */
type Metadata = "leaseEpoch" | "diverged" | "gap";

/** The response of a method, or one item of its stream, as far as it is the message of its RPC. */
export type RpcResponse<Name extends RpcName> =
  ReturnType<Tape[Name]> extends Promise<infer Noun> | AsyncIterable<infer Noun> ? Omit<Noun, Metadata> : never;

/** The methods whose response is a stream. */
export type StreamingRpcName = {
  [Name in RpcName]: ReturnType<Tape[Name]> extends AsyncIterable<unknown> ? Name : never;
}[RpcName];

/** How one RPC travels. */
export interface RpcMethod<Name extends RpcName = RpcName> {
  readonly name: Name;
  /** `/tape.v1.Tape/BeginRun` */
  readonly path: string;
  readonly kind: Name extends StreamingRpcName ? "server_streaming" : "unary";
  readonly desc: DescMethod;
  readonly request: NounCodec<RpcRequest<Name>>;
  readonly response: NounCodec<RpcResponse<Name>>;
}

/** All RPCs of `tape.v1.Tape`, by method of {@link Tape}. */
// Made from the descriptor; rpc-methods.test.ts checks that names and nouns are those of `Tape`.
export const rpcMethods = Object.freeze(
  Object.fromEntries(TapeService.methods.map((method) => [method.localName, rpcMethod(method)])),
) as { readonly [Name in RpcName]: RpcMethod<Name> };

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
