import { ScalarType, type DescEnum, type DescField, type DescMessage, type DescMethod } from "@bufbuild/protobuf";
import { Edition, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { file_tape_v1_tape as file, Tape } from "../src/rpc/gen/tape/v1/tape_pb.ts";
import contract from "./contract.json" with { type: "json" };

interface Field {
  readonly number: number;
  readonly type: string;
  readonly label: string;
}

describe("the contract tape.v1", () => {
  it.each(union(contract.messages, byName(file.messages)))("message %s", (name) => {
    expect(fields(byName(file.messages)[name])).toEqual(lookup<object>(contract.messages, name));
  });

  it.each(union(contract.enums, byName(file.enums)))("enum %s", (name) => {
    expect(values(byName(file.enums)[name])).toEqual(lookup<object>(contract.enums, name));
  });

  it.each(union(contract.rpcs, byName(Tape.methods)))("rpc %s", (name) => {
    expect(rpc(byName(Tape.methods)[name])).toEqual(lookup<object>(contract.rpcs, name));
  });

  it("has 51 RPCs, 96 messages, 8 enums and 400 fields", () => {
    expect(Tape.methods.length).toBe(51);
    expect(Tape.methods.filter((method) => method.methodKind === "unary").length).toBe(47);
    expect(Tape.methods.filter((method) => method.methodKind === "server_streaming").length).toBe(4);
    expect(file.messages.length).toBe(96);
    expect(file.enums.length).toBe(8);
    expect(file.messages.flatMap((message) => message.fields).length).toBe(400);
  });

  it("is one proto3 file of package tape.v1 with one service, without imports, oneof and optional", () => {
    expect(file.edition).toBe(Edition.EDITION_PROTO3);
    expect(file.proto.package).toBe("tape.v1");
    expect(file.services.map((service) => service.typeName)).toEqual(["tape.v1.Tape"]);
    expect(file.dependencies).toEqual([]);
    expect(file.messages.flatMap((message) => message.oneofs)).toEqual([]);
    const scalars = file.messages.flatMap((message) => message.fields).filter((field) => field.fieldKind === "scalar");
    expect(scalars.filter((field) => field.presence !== FeatureSet_FieldPresence.IMPLICIT)).toEqual([]);
  });
});

function byName<D extends DescMessage | DescEnum | DescMethod>(descs: readonly D[]): Partial<Record<string, D>> {
  return Object.fromEntries(descs.map((desc) => [desc.name, desc]));
}

function union(wanted: object, found: object): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
}

function lookup<V>(table: Readonly<Partial<Record<string, V>>>, name: string): V | undefined {
  return table[name];
}

function fields(message: DescMessage | undefined): Record<string, Field> {
  return Object.fromEntries((message?.fields ?? []).map((field) => [field.name, shape(field)]));
}

function shape(field: DescField): Field {
  if (field.fieldKind === "map") {
    const value = field.mapKind === "scalar" ? scalar(field.scalar) : "?";
    return { number: field.number, type: `map<${scalar(field.mapKey)},${value}>`, label: "map" };
  }
  const type = field.message?.name ?? field.enum?.name ?? scalar(field.scalar);
  return { number: field.number, type, label: field.fieldKind === "list" ? "repeated" : "singular" };
}

function scalar(type: ScalarType | undefined): string {
  return type === undefined ? "?" : ScalarType[type].toLowerCase();
}

function values(desc: DescEnum | undefined): Record<string, number> {
  return Object.fromEntries((desc?.values ?? []).map((value) => [value.name, value.number]));
}

function rpc(method: DescMethod | undefined): object | undefined {
  return method && { kind: method.methodKind, request: method.input.name, response: method.output.name };
}
