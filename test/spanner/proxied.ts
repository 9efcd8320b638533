import { GrpcProxy } from "../emulators/grpc-proxy.ts";

const services = {
  "google.spanner.v1.Spanner": ["BatchCreateSessions", "DeleteSession", "StreamingRead", "Commit"],
  "google.spanner.admin.database.v1.DatabaseAdmin": ["GetDatabase", "CreateDatabase", "UpdateDatabaseDdl"],
  "google.spanner.admin.instance.v1.InstanceAdmin": ["CreateInstance"],
  "google.longrunning.Operations": ["GetOperation"],
};

/** A proxy for everything that the store calls. */
export const spannerProxy = (host: string): Promise<GrpcProxy> => GrpcProxy.open(host, services);
