import { GrpcProxy } from "../emulators/grpc-proxy.ts";

const services = {
  "google.bigtable.v2.Bigtable": ["ReadRows", "MutateRows", "CheckAndMutateRow", "ReadModifyWriteRow", "PingAndWarm"],
  "google.bigtable.admin.v2.BigtableTableAdmin": ["GetTable", "CreateTable", "ModifyColumnFamilies"],
  "google.bigtable.admin.v2.BigtableInstanceAdmin": ["GetAppProfile"],
};

/** A proxy for everything that the store calls. */
export const bigtableProxy = (host: string): Promise<GrpcProxy> => GrpcProxy.open(host, services);
