import { createRegistry, toBinary, type DescFile } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "../rpc/gen/google/rpc/error_details_pb.ts";
import { Health } from "../rpc/gen/grpc/health/v1/health_pb.ts";
import {
  ServerReflection as ReflectionV1,
  type ServerReflectionRequest,
} from "../rpc/gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as ReflectionV1Alpha,
  type ServerReflectionRequest as RequestV1Alpha,
} from "../rpc/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Inspect } from "../rpc/gen/tape/v1/inspect_pb.ts";
import { Tape } from "../rpc/gen/tape/v1/tape_pb.ts";

const services = [Tape, Inspect, Health, ReflectionV1, ReflectionV1Alpha] as const;
// Also what the details of errors are made of, for tools that want to print them.
const files: readonly DescFile[] = withImports([...services.map(({ file }) => file), file_google_rpc_error_details]);
const registry = createRegistry(...files);

/** Server reflection v1 and v1alpha, open to everyone: grpcurl and its like need no .proto file. */
export function routeReflection(router: ConnectRouter): void {
  router.service(ReflectionV1, { serverReflectionInfo: answers });
  router.service(ReflectionV1Alpha, { serverReflectionInfo: answers });
}

type Question = ServerReflectionRequest | RequestV1Alpha;
type Answer =
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array<ArrayBuffer>[] } }
  | { case: "errorResponse"; value: { errorCode: Code; errorMessage: string } };

/* The two versions differ in nothing but their package, so one answer does for both. */
async function* answers<Q extends Question>(
  questions: AsyncIterable<Q>,
): AsyncGenerator<{ validHost: string; originalRequest: Q; messageResponse: Answer }, void, undefined> {
  for await (const question of questions) {
    const messageResponse = answer(question.messageRequest);
    yield { validHost: question.host, originalRequest: question, messageResponse };
  }
}

function answer(question: Question["messageRequest"]): Answer {
  switch (question.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: services.map(({ typeName }) => ({ name: typeName })) } };
    case "fileByFilename":
      return filesFrom(
        files.find((file) => `${file.name}.proto` === question.value),
        question.value,
      );
    case "fileContainingSymbol":
      return filesFrom(fileOf(question.value), question.value);
    default:
      return notFound(`${question.case ?? "an empty request"}: this server has no extensions`);
  }
}

/** The file of a message, enum, service, or a method of a service. */
function fileOf(symbol: string): DescFile | undefined {
  const found = registry.get(symbol) ?? registry.getService(symbol.slice(0, symbol.lastIndexOf(".")));
  return found?.file;
}

/** The file and all that it imports, so that one question is enough. */
function filesFrom(file: DescFile | undefined, name: string): Answer {
  if (file === undefined) return notFound(name);
  const fileDescriptorProto = withImports([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function withImports(roots: readonly DescFile[]): readonly DescFile[] {
  const all = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (all.has(file)) return;
    all.add(file);
    file.dependencies.forEach(add);
  };
  roots.forEach(add);
  return [...all];
}

function notFound(what: string): Answer {
  return { case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: `not found: ${what}` } };
}
