import { create, createFileRegistry, fromBinary, toBinary, type MessageShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../rpc/gen/grpc/reflection/v1/reflection_pb.ts";

type Question = MessageShape<typeof ServerReflectionRequestSchema>["messageRequest"];
type Answer = MessageShape<typeof ServerReflectionResponseSchema>;

let served: ServedDouble;
let client: Client;

beforeEach(async () => {
  served = await serveDouble({});
  client = new Client(served.server.address, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await served.server.close(0);
});

async function ask(version: string, questions: Question[]): Promise<Answer[]> {
  const call = client.makeBidiStreamRequest<Question, Answer>(
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    (messageRequest) =>
      Buffer.from(
        toBinary(ServerReflectionRequestSchema, create(ServerReflectionRequestSchema, { host: "h", messageRequest })),
      ),
    (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
  );
  for (const question of questions) call.write(question);
  call.end();
  const answers: Answer[] = [];
  for await (const answer of call) answers.push(answer as Answer);
  return answers;
}

describe.each(["v1", "v1alpha"])("server reflection %s", (version) => {
  it("lists the services", async () => {
    const [answer] = await ask(version, [{ case: "listServices", value: "" }]);
    expect(answer?.messageResponse).toMatchObject({
      case: "listServicesResponse",
      value: { service: expect.arrayContaining([expect.objectContaining({ name: "tape.v1.Tape" })]) },
    });
    expect(answer?.originalRequest).toMatchObject({ host: "h", messageRequest: { case: "listServices" } });
  });

  it("gives all that a client needs to call a method, by symbol or by file", async () => {
    const questions: Question[] = [
      { case: "fileContainingSymbol", value: "tape.v1.Tape" },
      { case: "fileContainingSymbol", value: "tape.v1.Tape.BeginRun" },
      { case: "fileContainingSymbol", value: "tape.v1.RunState" },
      { case: "fileContainingSymbol", value: "tape.v1.Inspect" },
      { case: "fileContainingSymbol", value: "google.rpc.ErrorInfo" },
      { case: "fileByFilename", value: "tape/v1/tape.proto" },
    ];
    for (const { messageResponse } of await ask(version, questions)) {
      if (messageResponse.case !== "fileDescriptorResponse") throw new Error(`${messageResponse.case}`);
      const file = messageResponse.value.fileDescriptorProto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      );
      // Throws when a file misses one that it imports.
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.toReversed() }));
      const known = ["tape.v1.Tape", "google.rpc.ErrorInfo"].filter((name) => registry.get(name) !== undefined);
      expect(known).toHaveLength(1);
    }
  });

  it("says what it does not know", async () => {
    const answers = await ask(version, [
      { case: "fileContainingSymbol", value: "tape.v1.Nothing" },
      { case: "fileContainingSymbol", value: "nothing" },
      { case: "fileByFilename", value: "nothing.proto" },
      { case: "allExtensionNumbersOfType", value: "tape.v1.RunState" },
    ]);
    expect(answers.map(({ messageResponse }) => messageResponse)).toMatchObject(
      Array.from({ length: 4 }, () => ({ case: "errorResponse", value: { errorCode: status.NOT_FOUND } })),
    );
  });
});
