import { describe, expect, it } from "vitest";
import { clientPackages as bigtablePackages } from "../bigtable/driver.ts";
import { clientPackages as spannerPackages } from "../spanner/driver.ts";
import { sparingTransport, transportOf } from "./transport.ts";

const descriptionsOf = (name: string): object => ({
  nested: { shop: { nested: { [name]: { fields: { id: { type: "string", id: 1 } } } } } },
});

interface Reading {
  readonly protobuf: { readonly Root: { fromJSON(descriptions: object): { lookupType(name: string): unknown } } };
  readonly GrpcClient: new (options: object) => { loadProtoJSON(descriptions: object): unknown };
}

describe.each([
  ["Bigtable", bigtablePackages],
  ["Spanner", spannerPackages],
])("the transport of clients of %s", (_, packages) => {
  const transport = sparingTransport(packages) as Reading;

  it("reads the descriptions of messages once, each its own", () => {
    const [order, refund] = [descriptionsOf("Order"), descriptionsOf("Refund")];
    const root = transport.protobuf.Root.fromJSON(order);
    expect(root.lookupType("shop.Order")).toBeDefined();
    expect(transport.protobuf.Root.fromJSON(order)).toBe(root);
    expect(transport.protobuf.Root.fromJSON(refund).lookupType("shop.Refund")).toBeDefined();
  });

  it("reads the descriptions of services once for all clients", () => {
    const order = descriptionsOf("Order");
    const [first, second] = [new transport.GrpcClient({}), new transport.GrpcClient({})];
    const services = first.loadProtoJSON(order);
    expect(services).toHaveProperty("shop.Order");
    // Equal descriptions are the same to the library, which finds them by their hash: only what is not looked at is spared.
    Object.defineProperty(order, "nested", {
      get: () => {
        throw new Error("read again");
      },
    });
    expect(second.loadProtoJSON(order)).toBe(services);
  });

  it("leaves the library as it is for others", () => {
    const order = descriptionsOf("Order");
    const library = transportOf(packages);
    expect(library.protobuf.Root.fromJSON(order)).not.toBe(library.protobuf.Root.fromJSON(order));
  });
});
