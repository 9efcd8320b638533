import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/testing/random.ts";
import type { CrashServer } from "./crash-server.ts";
import type { Outage, Place, Wire } from "./places/place.ts";
import type { Moment, ReadyCell } from "./plan.ts";

/** Whom a matrix kills: the server of Tape, or something that it stands on. */
export type Victim = { readonly kind: "server" } | { readonly kind: "outage"; readonly outage: Outage };

/** In the report. */
export const nameOfVictim = (victim: Victim): string => (victim.kind === "server" ? "the server" : victim.outage.name);

/** What can be killed in this place. */
export const victimsOf = (place: Place): readonly Victim[] => [
  { kind: "server" },
  ...place.outages.map((outage): Victim => ({ kind: "outage", outage })),
];

/** A call that has been sent. */
export interface UnderWay {
  readonly requestId: string;
  readonly cell: ReadyCell;
  /** Never rejects. */
  readonly ended: Promise<unknown>;
}

/** What a blow needs to hit with. */
export interface Arms {
  readonly server: CrashServer;
  readonly place: Place;
  readonly random: Random;
}

/** A blow that waits for its moment. */
export interface Blow {
  /** Strikes when all the calls are where they are to be; says how many were. */
  readonly strike: (calls: readonly UnderWay[]) => Promise<number>;
}

/** Makes ready to strike when calls of these cells are at this moment. To be asked before they are sent. */
export async function prepareBlow(
  { server, place, random }: Arms,
  victim: Victim,
  moment: Moment,
  cells: readonly { readonly requestId: string; readonly cell: ReadyCell }[],
): Promise<Blow> {
  if (moment.kind === "request") return atRequest(server, wireOf(place), victim, moment, cells);
  const { step, nth } = moment;
  if (step === "replied") {
    return {
      strike: async (calls) => {
        await Promise.all(calls.map(({ ended }) => ended));
        await (victim.kind === "server" ? server.kill() : victim.outage.strike());
        return calls.length;
      },
    };
  }
  const reached = new Map<string, Promise<"reached">>();
  for (const { requestId, cell } of cells) {
    await server.watch({ requestId, rows: cell.prepared.rows, step, nth });
    reached.set(
      requestId,
      server.reached(requestId).then(() => "reached"),
    );
  }
  return {
    strike: async (calls) => {
      const there = await Promise.all(
        calls.map(({ requestId, ended }) => Promise.race([reached.get(requestId), ended.then(() => "missed")])),
      );
      const requestIds = calls.map((call) => call.requestId);
      // A commit takes its time: the blow falls anywhere in it.
      const delayUs = random.int(place.commitUs);
      if (victim.kind === "server") {
        if (step === "committing" && there.includes("reached")) {
          server.release(requestIds, delayUs);
          await server.died();
        } else {
          await server.kill();
        }
      } else if (step === "committing") {
        server.release(requestIds);
        await sleep(delayUs / 1000);
        await victim.outage.strike();
      } else {
        await victim.outage.strike();
        server.release(requestIds);
      }
      return there.filter((one) => one === "reached").length;
    },
  };
}

function atRequest(
  server: CrashServer,
  wire: Wire,
  victim: Victim,
  { nth, lost }: Extract<Moment, { readonly kind: "request" }>,
  cells: readonly { readonly requestId: string; readonly cell: ReadyCell }[],
): Blow {
  const cut = victim.kind === "outage";
  const caught = new Map(
    cells.map(({ requestId, cell }) => [requestId, wire.catch({ rows: cell.prepared.rows, nth, fate: { lost, cut } })]),
  );
  return {
    strike: async (calls) => {
      const there = await Promise.all(
        calls.map(({ requestId, ended }) =>
          Promise.race([
            caught.get(requestId)?.struck.then(() => "reached"),
            // What follows the commit may be done after the reply.
            ended.then(() => sleep(afterReplyMs)).then(() => "missed"),
          ]),
        ),
      );
      for (const { stop } of caught.values()) stop();
      if (victim.kind === "server") await server.kill();
      return there.filter((one) => one === "reached").length;
    },
  };
}

const afterReplyMs = 100;

function wireOf(place: Place): Wire {
  if (place.wire === undefined) throw new TypeError(`nobody sees the requests of ${place.title}`);
  return place.wire;
}
