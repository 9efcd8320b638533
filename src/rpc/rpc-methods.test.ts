import type { DescMethodStreaming, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { EffectDispatchMode, EffectResolution, EffectSemantics, EffectStatus } from "../model/effect.ts";
import type { AttentionKind, GateStatus } from "../model/inspect.ts";
import type { ObligationStatus } from "../model/obligation.ts";
import type { HandlerKind, TaskStatus } from "../model/reaction.ts";
import type { RunStatus } from "../model/run.ts";
import * as inspection from "./gen/tape/v1/inspect_pb.ts";
import * as contract from "./gen/tape/v1/tape_pb.ts";
import { rpcMethods, type RpcName, type RpcRequest, type RpcResponse } from "./rpc-methods.ts";

/** A noun and a message are alike when they have the same fields with values that convert into each other. */
type NounShape<T> = [T] extends [string]
  ? "text"
  : [T] extends [number]
    ? "number"
    : [T] extends [boolean]
      ? "boolean"
      : T extends readonly (infer Item)[]
        ? NounShape<Item>[]
        : string extends keyof T
          ? "map"
          : { -readonly [K in keyof T]-?: NounShape<NonNullable<T[K]>> };

type MessageOf<T> = [T] extends [string]
  ? "text"
  : [T] extends [bigint]
    ? "number"
    : [T] extends [number]
      ? number extends T
        ? "number"
        : "text" // an enum
      : [T] extends [boolean]
        ? "boolean"
        : T extends readonly (infer Item)[]
          ? MessageOf<Item>[]
          : string extends keyof T
            ? "map"
            : { [K in Exclude<keyof T, "$typeName" | "$unknown">]-?: MessageOf<NonNullable<T[K]>> };

type Methods = typeof contract.Tape.method & typeof inspection.Inspect.method;
type InputOf<M> = M extends DescMethodUnary<infer I> | DescMethodStreaming<infer I> ? MessageShape<I> : never;
type OutputOf<M> =
  M extends DescMethodUnary<infer _I, infer O>
    ? MessageShape<O>
    : M extends DescMethodStreaming<infer _J, infer P>
      ? MessageShape<P>
      : never;

describe("rpcMethods", () => {
  it("has exactly the methods of the services, none of which share a name", () => {
    expectTypeOf<RpcName>().toEqualTypeOf<keyof Methods>();
    const methods = [...contract.Tape.methods, ...inspection.Inspect.methods];
    expect(Object.keys(rpcMethods)).toEqual(methods.map((method) => method.localName));
  });

  it("takes and gives nouns with the fields of the contract", () => {
    expectTypeOf<{ [N in RpcName]: NounShape<RpcRequest<N>> }>().toEqualTypeOf<{
      [N in RpcName]: MessageOf<InputOf<Methods[N]>>;
    }>();
    expectTypeOf<{ [N in RpcName]: NounShape<RpcResponse<N>> }>().toEqualTypeOf<{
      [N in RpcName]: MessageOf<OutputOf<Methods[N]>>;
    }>();
  });

  it("names enum values as the model does", () => {
    expectTypeOf<RunStatus>().toEqualTypeOf<keyof typeof contract.RunStatus>();
    expectTypeOf<EffectStatus>().toEqualTypeOf<keyof typeof contract.EffectStatus>();
    expectTypeOf<EffectSemantics>().toEqualTypeOf<keyof typeof contract.EffectSemantics>();
    expectTypeOf<EffectDispatchMode>().toEqualTypeOf<keyof typeof contract.EffectDispatchMode>();
    expectTypeOf<EffectResolution>().toEqualTypeOf<keyof typeof contract.EffectResolution>();
    expectTypeOf<ObligationStatus>().toEqualTypeOf<keyof typeof contract.ObligationStatus>();
    expectTypeOf<HandlerKind>().toEqualTypeOf<keyof typeof contract.HandlerKind>();
    expectTypeOf<AttentionKind>().toEqualTypeOf<keyof typeof inspection.AttentionKind>();
    expectTypeOf<GateStatus>().toEqualTypeOf<keyof typeof inspection.GateStatus>();
    expectTypeOf<TaskStatus>().toEqualTypeOf<keyof typeof contract.TaskStatus>();
  });

  it("knows path and kind of each", () => {
    expect(rpcMethods.beginRun.path).toBe("/tape.v1.Tape/BeginRun");
    expect(rpcMethods.beginRun.kind).toBe("unary");
    expect(rpcMethods.listRuns.path).toBe("/tape.v1.Inspect/ListRuns");
    const streaming = Object.values(rpcMethods).filter((method) => method.kind === "server_streaming");
    expect(streaming.map((method) => method.name)).toEqual([
      "subscribeRun",
      "subscribeEvents",
      "subscribeBySubject",
      "watchValue",
    ]);
  });
});
