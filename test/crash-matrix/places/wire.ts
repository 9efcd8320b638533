import type { CallAct, GrpcProxy, ProxiedCall } from "../../emulators/grpc-proxy.ts";
import type { Request, RequestFate, Wire } from "./place.ts";

const never = new Promise<never>(() => undefined);

/** The requests between a server and an emulator: those of a row are the ones that have its name in them. */
export function wireOf(proxy: Pick<GrpcProxy, "act" | "cut">, writes: ReadonlySet<string>): Wire {
  const catching = new Set<Caught>();
  const counting = new Set<Counted>();
  const about = (call: ProxiedCall, rows: readonly Buffer[]): boolean =>
    writes.has(call.method) && rows.some((row) => call.request.includes(row));

  proxy.act = (call): CallAct => {
    for (const counted of counting) if (about(call, counted.rows)) counted.count += 1;
    const met: Caught[] = [];
    for (const caught of catching) {
      if (!about(call, caught.rows)) continue;
      caught.seen += 1;
      if (caught.seen === caught.request.nth) met.push(caught);
    }
    const [first] = met;
    if (first === undefined) return { kind: "pass" };
    // One request may be for rows of several calls, which all meet the same fate.
    return actOf(first.request.fate, () => {
      for (const { struck } of met) struck();
    });
  };

  return {
    catch(request) {
      let struck = (): void => undefined;
      const meeting = new Promise<void>((resolve) => (struck = resolve));
      const caught: Caught = { request, rows: bytesOf(request.rows), seen: 0, struck };
      catching.add(caught);
      return { struck: meeting, stop: () => void catching.delete(caught) };
    },
    count(rows) {
      const counted: Counted = { rows: bytesOf(rows), count: 0 };
      counting.add(counted);
      return () => {
        counting.delete(counted);
        return counted.count;
      };
    },
    cut: () => proxy.cut(),
  };
}

interface Caught {
  readonly request: Request;
  readonly rows: readonly Buffer[];
  readonly struck: () => void;
  seen: number;
}

interface Counted {
  readonly rows: readonly Buffer[];
  count: number;
}

function actOf(fate: RequestFate, struck: () => void): CallAct {
  if (fate.lost === "request") {
    struck();
    return fate.cut ? { kind: "cut" } : { kind: "hold", until: never };
  }
  if (fate.cut) {
    struck();
    return { kind: "cut-answer" };
  }
  return {
    kind: "hold-answer",
    // Asked for when the answer is there: the request has been done.
    get until() {
      struck();
      return never;
    },
  };
}

/** The part of a row id that nothing else has: its longest segment, which is a name of its scenario or an id. */
const bytesOf = (rows: readonly string[]): readonly Buffer[] =>
  rows.map((row) =>
    Buffer.from(row.split("/").reduce((longest, part) => (part.length > longest.length ? part : longest))),
  );
