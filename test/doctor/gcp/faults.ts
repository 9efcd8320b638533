import { generalFaults } from "./general-faults.ts";
import type { Fault } from "./fault.ts";
import { secretFaults } from "./secret-faults.ts";
import { serviceFaults } from "./service-faults.ts";
import { storeFaults } from "./store-faults.ts";

/** Everything that the tests do to an installation. */
export const faults: readonly Fault[] = [...generalFaults, ...serviceFaults, ...secretFaults, ...storeFaults];
