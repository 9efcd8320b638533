import { BusArea } from "../bus/bus-area.ts";
import { CrowdArea } from "../crowd/crowd-area.ts";
import { ListsArea } from "../lists/lists-area.ts";
import { RacesArea } from "../races/races-area.ts";
import { RetentionArea } from "../retention/retention-area.ts";
import { StreamsArea } from "../streams/streams-area.ts";
import { TenantsArea } from "../tenants/tenants-area.ts";
import type { Area, Surroundings } from "./area.ts";

const nothing: Area = { start: () => undefined, unfinished: () => "", tell: async () => [] };

/** Two areas in one world. */
const together = (one: Area, other: Area): Area => ({
  start: () => {
    one.start();
    other.start();
  },
  unfinished: () => one.unfinished() || other.unfinished(),
  tell: async (server) => [...(await one.tell(server)), ...(await other.tell(server))],
});

/** The area of a plan. */
export function areaOf(surroundings: Surroundings): Area {
  const { area } = surroundings.plan;
  switch (area.kind) {
    case "none":
      return nothing;
    case "bus": {
      const bus = new BusArea(surroundings, area);
      const { bounds } = area;
      return bounds === null ? bus : together(bus, new RetentionArea(surroundings, bounds));
    }
    case "retention":
      return new RetentionArea(surroundings, area.bounds);
    case "streams":
      return new StreamsArea(surroundings, area);
    case "tenants":
      return new TenantsArea(surroundings);
    case "crowd":
      return new CrowdArea(surroundings);
    case "races":
      return new RacesArea(surroundings);
    case "lists":
      return new ListsArea(surroundings, area);
    default:
      return area satisfies never;
  }
}
