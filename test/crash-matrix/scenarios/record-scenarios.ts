import { appStateRow, sessionRow, userStateRow, valueRow } from "../../../src/codec/row-id.ts";
import type { AppendEventRequest } from "../../../src/model/session.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { factsOfSession, factsOfValue } from "./facts.ts";
import { partition } from "./run-scene.ts";
import { scenario, type Prepared, type Scenario } from "./scenario.ts";

const sessionOf = (name: string) => ({ appName: name, userId: "user", sessionId: name });

async function session(tape: Tape, name: string): Promise<void> {
  await tape.createSession({ ...sessionOf(name), stateJson: '{"own":1}' });
  await append(tape, name, "first");
}

async function append(tape: Tape, name: string, id: string): Promise<void> {
  await tape.appendEvent({ ...sessionOf(name), event: { id, author: "ada", contentJson: "{}", timestampMs: 1 } });
}

const rowsOfSession = (name: string): Prepared["rows"] => [
  sessionRow(partition, name, "user", name),
  userStateRow(partition, name, "user"),
  appStateRow(partition, name),
];

function onSession(name: string, call: Prepared["call"], neighbour?: Prepared["neighbour"]): Prepared {
  return {
    rows: rowsOfSession(name),
    call,
    neighbour: neighbour ?? ((tape, options) => tape.getSession(sessionOf(name), options)),
    facts: (tape) => factsOfSession(tape, name),
  };
}

/** Appends an event, beside another client that does too. */
async function appending(tape: Tape, name: string, stateDeltaJson: string): Promise<Prepared> {
  await session(tape, name);
  const event = { id: "second", author: "ada", contentJson: '{"c":1}', timestampMs: 2 };
  const request: AppendEventRequest = { ...sessionOf(name), event, stateDeltaJson };
  const other: AppendEventRequest = { ...sessionOf(name), event: { ...event, id: "neighbour" } };
  return onSession(
    name,
    (caller, options) => caller.appendEvent(request, options),
    (caller, options) => caller.appendEvent(other, options),
  );
}

async function onValue(tape: Tape, name: string, call: Prepared["call"]): Promise<Prepared> {
  const value = { namespace: name, key: "key" };
  await tape.writeValue({ ...value, valueJson: "1" });
  return {
    rows: [valueRow(partition, name, "key")],
    call,
    neighbour: (caller, options) =>
      caller.writeValue({ ...value, valueJson: '"neighbour"', ifVersion: -1, writer: "ben" }, options),
    facts: (caller) => factsOfValue(caller, name),
  };
}

/** Calls about values and sessions. */
export const recordScenarios: readonly Scenario[] = [
  scenario(
    "WriteValue",
    "writeValue",
    (tape, name) =>
      onValue(tape, name, (caller, options) =>
        caller.writeValue({ namespace: name, key: "key", valueJson: "2", ifVersion: -1, writer: "ada" }, options),
      ),
    // Sent again it answers with the value as it is now, which may be the neighbour's (R3).
    { answersAgain: false },
  ),
  scenario("WriteValue, if version", "writeValue", async (tape, name) => ({
    ...(await onValue(tape, name, (caller, options) =>
      caller.writeValue({ namespace: name, key: "key", valueJson: "2", ifVersion: 1 }, options),
    )),
    neighbour: (caller, options) => caller.getValue({ namespace: name, key: "key" }, options),
  })),
  scenario("DeleteValue", "deleteValue", async (tape, name) => ({
    ...(await onValue(tape, name, (caller, options) => caller.deleteValue({ namespace: name, key: "key" }, options))),
    neighbour: (caller, options) => caller.getValue({ namespace: name, key: "key" }, options),
  })),
  scenario("CreateSession", "createSession", async (_tape, name) =>
    onSession(name, (caller, options) =>
      caller.createSession({ ...sessionOf(name), stateJson: '{"own":1,"user:u":2,"app:a":3}' }, options),
    ),
  ),
  scenario("DeleteSession", "deleteSession", async (tape, name) => {
    await session(tape, name);
    return onSession(name, (caller, options) => caller.deleteSession(sessionOf(name), options));
  }),
  scenario("AppendEvent", "appendEvent", (tape, name) => appending(tape, name, '{"own":2}')),
  scenario("AppendEvent, shared state", "appendEvent", (tape, name) =>
    appending(tape, name, '{"own":2,"user:u":2,"app:a":3}'),
  ),
];
