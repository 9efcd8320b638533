import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../rpc/gen/grpc/health/v1/health_pb.ts";
import { Inspect } from "../rpc/gen/tape/v1/inspect_pb.ts";
import { Tape } from "../rpc/gen/tape/v1/tape_pb.ts";
import type { Readiness } from "./readiness.ts";
import { connectErrorOf } from "./wire-error.ts";
import { shuttingDown } from "./call-desk.ts";

// The empty name is the server as a whole.
const services: readonly string[] = ["", Tape.typeName, Inspect.typeName];

/** `grpc.health.v1.Health`, open to everyone: SERVING while the server is ready. */
export function routeHealth(router: ConnectRouter, readiness: Readiness): void {
  const current = async (): Promise<{ status: ServingStatus }> => statusOf((await readiness.check()).ready);
  router.service(Health, {
    check({ service }) {
      if (services.includes(service)) return current();
      throw new ConnectError(`no service ${service}`, Code.NotFound);
    },
    async list() {
      const status = await current();
      return { statuses: Object.fromEntries(services.map((service) => [service, status])) };
    },
    async *watch({ service }, { signal }) {
      if (services.includes(service)) {
        for await (const ready of readiness.watch(signal)) yield statusOf(ready);
      } else {
        // The protocol wants the call kept open: the service might come, only not here.
        yield { status: ServingStatus.SERVICE_UNKNOWN };
        await readiness.stopped(signal);
      }
      throw connectErrorOf(shuttingDown());
    },
  });
}

function statusOf(ready: boolean): { status: ServingStatus } {
  return { status: ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING };
}
