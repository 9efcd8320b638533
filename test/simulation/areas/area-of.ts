import { BusArea } from "../bus/bus-area.ts";
import { ListsArea } from "../lists/lists-area.ts";
import { RacesArea } from "../races/races-area.ts";
import { RetentionArea } from "../retention/retention-area.ts";
import { StreamsArea } from "../streams/streams-area.ts";
import { TenantsArea } from "../tenants/tenants-area.ts";
import type { Area, Surroundings } from "./area.ts";

const nothing: Area = { start: () => undefined, unfinished: () => "", tell: async () => [] };

/** The area of a plan. */
export function areaOf(surroundings: Surroundings): Area {
  const { area } = surroundings.plan;
  switch (area.kind) {
    case "none":
      return nothing;
    case "bus":
      return new BusArea(surroundings, area);
    case "retention":
      return new RetentionArea(surroundings, area);
    case "streams":
      return new StreamsArea(surroundings, area);
    case "tenants":
      return new TenantsArea(surroundings);
    case "races":
      return new RacesArea(surroundings);
    case "lists":
      return new ListsArea(surroundings, area);
    default:
      return area satisfies never;
  }
}
