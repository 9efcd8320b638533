import { createRequire } from "node:module";

/** The way from here to the package that makes the clients, through the packages that depend on it. */
export type PackagePath = readonly string[];

/** Messages and services, as generated clients bring them along. */
type Descriptions = object;

/** The part of the transport's library that is used here. */
interface Transport {
  readonly grpc: { readonly credentials: { createInsecure(): unknown } };
  readonly GoogleAuth: new (options: { readonly scopes: readonly string[] }) => { getClient(): Promise<unknown> };
  readonly GrpcClient: new (options: object) => { loadProtoJSON(descriptions: Descriptions): unknown };
  readonly protobuf: { readonly Root: { fromJSON(descriptions: Descriptions): unknown } };
}

/** The copy of the transport's library that the package itself uses: it refuses what was made with another one. */
export function transportOf(packages: PackagePath): Transport {
  const path = packages.reduce((from, name) => createRequire(from).resolve(name), import.meta.url);
  return createRequire(path)("google-gax") as Transport;
}

/**
 * The transport to make generated clients with, which reads what they bring along once for all of them. By themselves they
 * read all descriptions anew whenever a call fails with details, which keeps the processor for 20 to 60 ms; and each client
 * that is made hashes all of them, 1 to 3 ms, to find what was read before.
 */
export function sparingTransport(packages: PackagePath): object {
  const transport = transportOf(packages);
  const { protobuf } = transport;
  const services = new WeakMap<Descriptions, unknown>();
  const messages = new WeakMap<Descriptions, unknown>();
  const protobufFromJSON = (descriptions: Descriptions): unknown =>
    kept(messages, descriptions, () => protobuf.Root.fromJSON(descriptions));
  class GrpcClient extends transport.GrpcClient {
    override loadProtoJSON(descriptions: Descriptions): unknown {
      return kept(services, descriptions, () => super.loadProtoJSON(descriptions));
    }
  }
  return {
    ...transport,
    GrpcClient,
    protobufFromJSON,
    protobuf: { ...protobuf, Root: { fromJSON: protobufFromJSON } },
  };
}

function kept(all: WeakMap<Descriptions, unknown>, descriptions: Descriptions, read: () => unknown): unknown {
  const found = all.get(descriptions) ?? read();
  all.set(descriptions, found);
  return found;
}
