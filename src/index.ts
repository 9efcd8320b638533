/**
 * Tape: a durable-execution journal for agents that act. Two ways to the one interface {@link Tape}: `openTape` runs the
 * engine in this process, `connectTape` talks to a server.
 */

export * from "./client/index.ts";
export type { Clock } from "./engine/clock.ts";
export type { IdSource } from "./engine/id-source.ts";
export type { StoreObserver } from "./store/store-observer.ts";
export { openTape, type OpenTapeOptions } from "./open-tape.ts";
