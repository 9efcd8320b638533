import { Engine } from "../../src/engine/engine.ts";
import type { Store } from "../../src/store/store.ts";
import { follow } from "../../src/testing/test-tape/stream.ts";

/** Tenants, and names of a namespace and a key: careless joining would make the same row of some of them. */
const alike: readonly (readonly [tenant: string, namespace: string, key: string])[] = [
  ["a", "b/c", "d"],
  ["a/b", "c", "d"],
  ["a", "b", "c/d"],
  ["a/b/c", "d", "d"],
  ["a%2Fb", "c", "d"],
  ["a/value/b", "c", "d"],
  ["", "b/c", "d"],
  ["~", "b/c", "d"],
  ["A", "b/c", "d"],
  ["a ", "b/c", "d"],
  [" a", "b/c", "d"],
  ["a\0", "b/c", "d"],
  ["a#", "b/c", "d"],
  ["é", "b/c", "d"],
  ["e\u0301", "b/c", "d"],
  ["ａ", "b/c", "d"],
  ["a".repeat(512), "b/c", "d"],
  [`${"a".repeat(511)}b`, "b/c", "d"],
  ["..", "b/c", "d"],
  ["a/../b", "b/c", "d"],
];

/** Lets tenants whose names look alike write the same things, and says in a sentence each who met whom. */
export async function keepApart(store: Store): Promise<readonly string[]> {
  const found: string[] = [];
  const engine = new Engine({ store, reactors: false });
  try {
    const everyone = alike.map(([tenant, namespace, key], index) => ({
      tenant,
      name: JSON.stringify([tenant.slice(0, 8), namespace, key]),
      mine: JSON.stringify(`of ${index}`),
      place: { namespace, key },
      tape: engine.tape({ partition: tenant, tenant: tenant === "" ? null : tenant }),
    }));
    for (const { name, mine, place, tape } of everyone) {
      const there = await tape.getValue(place);
      if (there.found) found.push(`${name} finds ${there.value?.valueJson ?? ""} before it has written`);
      await tape.writeValue({ ...place, valueJson: mine });
      const { namespace: appName, key: sessionId } = place;
      await tape.beginRun({ appName, sessionId, invocationId: "same" });
      await tape.createSession({ appName, sessionId, stateJson: JSON.stringify({ mine }) });
    }
    for (const { tenant, name, mine, place, tape } of everyone) {
      const { value } = await tape.getValue(place);
      if (value?.valueJson !== mine) found.push(`${name} has ${value?.valueJson ?? "nothing"}`);
      const { namespace: appName, key: sessionId } = place;
      const { session } = await tape.getSession({ appName, sessionId });
      if (session?.stateJson !== JSON.stringify({ mine })) found.push(`${name} has the session of another`);
      // Two lines of the table are of one tenant, with different names.
      const { runs } = await tape.inspect.listRuns({ appName, sessionId });
      if (runs.length !== 1) found.push(`${name} sees ${runs.length} runs`);
      // The first entry of the store is another's, for all but one of them.
      const feed = follow((signal) => tape.subscribeEvents({ kind: "value" }, { signal }));
      const first = await feed.next();
      await feed.leave();
      const own = alike.filter(([other]) => other === tenant).map(([, namespace, key]) => ({ namespace, key }));
      const { namespace, key } = JSON.parse(first.payloadJson) as { namespace: string; key: string };
      if (!own.some((one) => one.namespace === namespace && one.key === key))
        found.push(`${name} gets an entry of another`);
    }
  } finally {
    await engine.close();
  }
  return found;
}
