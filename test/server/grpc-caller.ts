import {
  Client,
  credentials,
  Metadata,
  type CallOptions,
  type ChannelCredentials,
  type ServiceError,
} from "@grpc/grpc-js";
import { rpcMethods, type RpcName, type RpcRequest, type RpcResponse } from "../../src/rpc/rpc-methods.ts";
import { decodeStatusDetails } from "../../src/rpc/status.ts";

/** What a unary call gave. */
export interface GrpcAnswer<Name extends RpcName> {
  readonly response: RpcResponse<Name>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** How a call failed, as a foreign client sees it. */
interface GrpcFailure {
  readonly code: number;
  readonly message: string;
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  readonly ids: Readonly<Record<string, string>>;
}

/** A foreign gRPC client: grpc-js, with our codecs for the messages only. */
export class GrpcCaller {
  readonly client: Client;

  constructor(
    address: string,
    channelCredentials: ChannelCredentials = credentials.createInsecure(),
    options: object = {},
  ) {
    this.client = new Client(address, channelCredentials, { "grpc.enable_retries": 0, ...options });
  }

  /** Rejects with a {@link GrpcFailure}. */
  unary<Name extends RpcName>(
    name: Name,
    request: RpcRequest<Name>,
    headers: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<GrpcAnswer<Name>> {
    const method = rpcMethods[name];
    return new Promise((resolve, reject) => {
      let metadata: Metadata | undefined;
      const call = this.client.makeUnaryRequest<RpcRequest<Name>, RpcResponse<Name>>(
        method.path,
        (noun) => Buffer.from(method.request.encode(noun)),
        (bytes) => method.response.decode(bytes),
        request,
        metadataOf(headers),
        options,
        (error, response) => {
          if (error !== null) reject(failureOf(error));
          else if (response === undefined) reject(new Error("no response"));
          else resolve({ response, metadata: metadata?.getMap() ?? {} });
        },
      );
      call.on("metadata", (received: Metadata) => (metadata = received));
    });
  }

  /** The items of a stream; iterating rejects with a {@link GrpcFailure}. Leaving cancels. */
  async *stream<Name extends RpcName>(
    name: Name,
    request: RpcRequest<Name>,
    headers: Readonly<Record<string, string>> = {},
    onMetadata: (metadata: Readonly<Record<string, unknown>>) => void = () => {},
    options: CallOptions = {},
  ): AsyncGenerator<RpcResponse<Name>, void, undefined> {
    const method = rpcMethods[name];
    const call = this.client.makeServerStreamRequest<RpcRequest<Name>, RpcResponse<Name>>(
      method.path,
      (noun) => Buffer.from(method.request.encode(noun)),
      (bytes) => method.response.decode(bytes),
      request,
      metadataOf(headers),
      options,
    );
    call.on("metadata", (metadata: Metadata) => onMetadata(metadata.getMap()));
    try {
      for await (const item of call) yield item as RpcResponse<Name>;
    } catch (error) {
      // What a test sees of a failure is plain data, to compare as a whole.
      // oxlint-disable-next-line typescript/only-throw-error
      throw failureOf(error as ServiceError);
    } finally {
      call.cancel();
    }
  }

  /** Lets go of the connection. */
  close(): void {
    this.client.close();
  }
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

function failureOf(error: ServiceError): GrpcFailure {
  const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const [info] = details instanceof Buffer ? decodeStatusDetails(details) : [];
  return {
    code: error.code,
    message: error.details,
    reason: info?.reason,
    domain: info?.domain,
    ids: info?.metadata ?? {},
  };
}
