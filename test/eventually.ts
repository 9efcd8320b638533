import { vi } from "vitest";

/** So long that a test fails only when what it waits for does not come at all, however busy the machine is. */
const patienceMs = 30_000;

/** Looks until it throws no more; gives what it gave then. */
export const eventually = <T>(look: () => T | Promise<T>): Promise<T> => vi.waitFor(look, { timeout: patienceMs });
