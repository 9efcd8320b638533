import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Engine } from "../../../src/engine/engine.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { createStore } from "../../../src/store/open-store.ts";
import { refusalOf, wrong, type Target, type Trial } from "../target.ts";

/** Where a JSON text goes in, and how it comes out again; `undefined`: nothing is there. */
interface Field {
  readonly write: (tape: Tape, id: string, text: string) => Promise<unknown>;
  readonly read: (tape: Tape, id: string) => Promise<string | undefined>;
  /** Whether the text itself comes back, or what it says, merged into something (R65). */
  readonly isVerbatim: boolean;
}

const session = (id: string) => ({ appName: "app", userId: "ada", sessionId: id });
const gateName = "gate";
/** Never due. */
const fireAtMs = Number.MAX_SAFE_INTEGER;

/** A run of its own for every input, so that nothing is left of the one before. */
const runOf = async (tape: Tape, id: string): Promise<string> =>
  (await tape.beginRun({ appName: "app", invocationId: id })).runId;

const fields: Readonly<Record<string, Field>> = {
  value: {
    write: (tape, key, valueJson) => tape.writeValue({ namespace: "n", key, valueJson }),
    read: async (tape, key) => (await tape.getValue({ namespace: "n", key })).value?.valueJson,
    isVerbatim: true,
  },
  decision: {
    write: async (tape, id, requestJson) =>
      tape.recordDecision({ runId: await runOf(tape, id), decisionIndex: 0, requestJson }),
    read: async (tape, id) =>
      (await tape.getDecision({ runId: await runOf(tape, id), decisionIndex: 0 })).decision?.requestJson,
    isVerbatim: true,
  },
  effect: {
    write: async (tape, id, requestJson) =>
      tape.beginEffect({ runId: await runOf(tape, id), toolName: "wire", customKey: "k", requestJson }),
    read: async (tape, id) =>
      (await tape.inspect.getRunDetail({ runId: await runOf(tape, id) })).effects[0]?.requestJson,
    isVerbatim: true,
  },
  resolution: {
    write: async (tape, id, resolutionJson) =>
      tape.sendSignal({ runId: await runOf(tape, id), gateName, resolutionJson }),
    read: async (tape, id) => {
      const { delivered, resolutionJson } = await tape.awaitSignal({ runId: await runOf(tape, id), gateName });
      return delivered ? resolutionJson : undefined;
    },
    isVerbatim: true,
  },
  timer: {
    write: async (tape, id, payloadJson) =>
      tape.setTimer({ runId: await runOf(tape, id), timerId: "t", kind: "wake", fireAtMs, payloadJson }),
    read: async (tape, id) =>
      (await tape.inspect.getRunDetail({ runId: await runOf(tape, id) })).timers[0]?.payloadJson,
    isVerbatim: true,
  },
  event: {
    write: async (tape, id, contentJson) => {
      await tape.createSession(session(id));
      return tape.appendEvent({ ...session(id), event: { id: "e", contentJson } });
    },
    read: async (tape, id) => (await tape.getSession(session(id))).session?.events[0]?.contentJson,
    isVerbatim: true,
  },
  state: {
    write: (tape, id, stateJson) => tape.createSession({ ...session(id), stateJson }),
    read: async (tape, id) => (await tape.getSession(session(id))).session?.stateJson,
    isVerbatim: false,
  },
};

/** A field and a text for it. */
interface Input {
  readonly field: string;
  readonly text: string;
}

const deepest = 20_000;
const pieces = fc.constantFrom(
  '"__proto__":',
  '"constructor":{"prototype":{"polluted":1}}',
  '"a":1,"a":2',
  "1e999",
  "-0",
  "0.1e-400",

  "12345678901234567890123",
  '"\\u0000"',
  '"\\ud800"',
  '"\ud800"',
  "\u0000",
  "\ufeff",
  "NaN",
  "Infinity",
  "undefined",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "null",
  "true",
  " ",
  "\n",
  "//",
  "'x'",
  "01",
  "+1",
  "\\",
);
const odd = fc.array(pieces, { maxLength: 9 }).map((parts) => parts.join(""));
const deep = fc
  .record({ depth: fc.integer({ min: 1, max: deepest }), open: fc.constantFrom("[", '{"a":'), isClosed: fc.boolean() })
  .map(
    ({ depth, open, isClosed }) =>
      open.repeat(depth) + "1" + (isClosed ? (open === "[" ? "]" : "}") : "").repeat(depth),
  );
const names = fc.oneof(fc.constantFrom("__proto__", "constructor", "toString", "", "a", "\u0000"), fc.string());
const good = fc
  .oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue(), { maxKeys: 4 }))
  .map((value) => JSON.stringify(value));
const broken = fc
  .record({ text: good, at: fc.nat(), into: fc.constantFrom("", ",", '"', "\u0000", "}", "\ud800") })
  .map(({ text, at, into }) => {
    const where = at % (text.length + 1);
    return text.slice(0, where) + into + text.slice(where + 1);
  });

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** By the rule (R7): well-formed JSON in well-formed Unicode; empty is taken, and stays empty. A state is an object. */
function isGood(text: string, { isVerbatim }: Field): boolean {
  if (text === "") return true;
  const found = text.isWellFormed() ? parsed(text) : undefined;
  if (found === undefined) return false;
  return isVerbatim || (typeof found.value === "object" && found.value !== null && !Array.isArray(found.value));
}

/** Names that a state keeps elsewhere, or not at all (R65); nor does it keep what is null. */
const isShared = (name: string): boolean => /^(user|app|temp):/.test(name);

/** Tries a text in a field of this tape; every input under a name of its own. */
const checkJson =
  (tape: Tape, newId: () => string) =>
  async ({ field: name, text }: Input): Promise<string> => {
    const field = fields[name] ?? wrong(`there is no field ${name}`);
    const id = newId();
    const isTaken = isGood(text, field);
    try {
      await field.write(tape, id, text);
    } catch (error) {
      const { message } = refusalOf(error, "ARGUMENT_INVALID");
      if (isTaken) wrong("what is good is refused");
      if (text.length > 20 && message.includes(text)) wrong("the refusal quotes the payload");
      if ((await field.read(tape, id)) !== undefined) wrong("something was written, though it was refused");
      return `${name} refused`;
    }
    if (!isTaken) wrong("what is no JSON is taken");
    const read = await field.read(tape, id);
    if (read !== text && (field.isVerbatim || !isSame(read ?? "", text)))
      wrong("what was written comes back as something else");
    if ("polluted" in {}) wrong("the prototype of all objects was changed");
    return `${name} kept`;
  };

function isSame(read: string, written: string): boolean {
  const membersOf = (text: string): readonly string[] =>
    Object.entries(text === "" ? {} : (JSON.parse(text) as object))
      .filter(([name, value]) => !isShared(name) && value !== null)
      .map((member) => JSON.stringify(member))
      .toSorted();
  return isDeepStrictEqual(membersOf(read), membersOf(written));
}

/** Fields of JSON (R7): kept as they are, or refused and nothing is written; nothing of them becomes code or prototype. */
export const json: Target<Input> = {
  name: "json",
  inputs: fc.record({
    field: fc.constantFrom(...Object.keys(fields)),
    text: fc.oneof(good, good, broken, odd, deep, fc.string({ unit: "binary" })),
  }),
  open: () => openJson((tape) => tape),
};

/** Tries a tape that was made of a good one. */
export async function openJson(change: (tape: Tape) => Tape): Promise<Trial<Input>> {
  const store = await createStore("sqlite::memory:");
  await store.migrate({ dryRun: false });
  // Nothing is kept in memory, so that everything is read back from the store.
  const engine = new Engine({ store, reactors: false, cacheBytes: 1 });
  let count = 0;
  return {
    check: checkJson(change(engine.tape(localAccess)), () => `input-${(count += 1)}`),
    close: () => engine.close(),
  };
}
