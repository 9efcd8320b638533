import { ScalarType } from "@bufbuild/protobuf";
import { rpcMethods, type RpcName } from "../../src/rpc/rpc-methods.ts";

/** Texts that are payload though their name does not end in `Json`: what an agent or a model has written. */
const freeTexts: ReadonlySet<string> = new Set(["rationale", "error"]);

/** The fields of an RPC's request that hold a payload, from the contract. */
export function payloadFields(name: RpcName): readonly string[] {
  const { desc, kind } = rpcMethods[name];
  if (kind !== "unary") return [];
  return desc.input.fields
    .filter((field) => field.fieldKind === "scalar" && field.scalar === ScalarType.STRING)
    .map(({ localName }) => localName)
    .filter((field) => field.endsWith("Json") || freeTexts.has(field));
}
