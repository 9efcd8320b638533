import type { CallOptions } from "../../src/model/call.ts";
import { ScalarType } from "@bufbuild/protobuf";
import type { Tape } from "../../src/model/tape.ts";
import { TapeError } from "../../src/errors.ts";
import { isInspectName, rpcMethods, type RpcName } from "../../src/rpc/rpc-methods.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";
import type { Append, AppendOutcome, RowId } from "../../src/store/store.ts";
import type { Belongings } from "./belongings.ts";
import { rpcCases } from "./rpc-cases.ts";

/** A store that remembers which rows were ever written, and by that what a tenant has. */
export class RememberingStore extends ForwardingStore {
  readonly rows: Set<RowId> = new Set<RowId>();

  override append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    for (const { row } of batch) this.rows.add(row);
    return super.append(batch);
  }

  /** All rows of a partition, byte for byte. */
  async contentOf(partition: string): Promise<readonly string[]> {
    const own = [...this.rows].filter((row) => row.startsWith(`${partition}/`)).toSorted();
    return Promise.all(own.map(async (row) => `${row} ${shown(await this.inner.read(row, { bodies: true }))}`));
  }
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Uint8Array ? Buffer.from(part).toString("base64") : part,
  );

/** What a call came to, as text in which everything stands that a caller learns. */
type Answer = string;

/** Calls any RPC. A stream is read until the item with the caller's own last word, or until nothing comes any more. */
async function ask(tape: Tape, name: RpcName, request: object, lastWord: string): Promise<Answer> {
  try {
    if (rpcMethods[name].kind !== "unary") return await read(tape, name, request, lastWord);
    const at = isInspectName(name) ? tape.inspect : tape;
    return shown(await (at as unknown as Calls)[name]?.(request));
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    return shown({ code: error.code, reason: error.reason, message: error.message, ids: error.ids });
  }
}

async function read(tape: Tape, name: RpcName, request: object, lastWord: string): Promise<Answer> {
  const leaving = new AbortController();
  const items: unknown[] = [];
  // A stream about nothing has no last word, and would be open for ever.
  const timer = setTimeout(() => leaving.abort(), lastWord === "" ? quietMs : patienceMs);
  try {
    for await (const item of (tape as unknown as Streams)[name]?.(request, { signal: leaving.signal }) ?? []) {
      items.push(item);
      if (name === "watchValue" || shown(item).includes(lastWord === "" ? noWord : lastWord)) break;
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    if (lastWord !== "" && name !== "subscribeRun") items.push("the last word never came");
  } finally {
    clearTimeout(timer);
  }
  return shown(items);
}

const quietMs = 20;
const patienceMs = 30_000;
const noWord = "a word that nobody says";

type Calls = Readonly<Record<string, ((request: object) => Promise<object>) | undefined>>;
type Streams = Readonly<Record<string, ((request: object, options: CallOptions) => AsyncIterable<object>) | undefined>>;

/** An answer without what differs anyway: the names asked for, ids made of hashes, times, places in the feed. */
function comparable(answer: Answer, own: string, names: readonly Belongings[]): string {
  let text = answer;
  const all = names
    .flatMap((of) => Object.entries(of) as [string, string][])
    .toSorted(([, a], [, b]) => b.length - a.length);
  for (const [name, value] of all) text = text.replaceAll(value, `<${name}>`);
  return text
    .replaceAll(own, "<self>")
    .replaceAll(/(run|task|session)-[0-9a-z-]{24,36}/g, "<$1>")
    .replaceAll(/"(\w*(?:Ms|Us)|globalSeq|timestamp\w*)":\d+/g, '"$1":0')
    .replaceAll(/"(requestId|nextPageToken|traceId|spanId|parentSpanId|idempotencyKey)":"[^"]*"/g, '"$1":""')
    .replaceAll(/\b[0-9a-f]{16,64}\b/g, "<hash>");
}

/** One question of an intruder, once with real names of the victim and once with names of nothing. */
export interface Question {
  readonly what: string;
  readonly name: RpcName;
  readonly request: (asked: Belongings) => object;
  /** A stream of it gives the caller's own entries, the last one too. */
  readonly hasLastWord: boolean;
}

/** Every RPC with the victim's names in the places that they belong. */
export const plainQuestions: readonly Question[] = (Object.keys(rpcCases) as RpcName[]).map((name) => ({
  what: name,
  name,
  request: rpcCases[name],
  hasLastWord: rpcMethods[name].kind !== "unary",
}));

/** Ways to write a name of which a careless key would make somebody else's row. */
const disguises: readonly (readonly [string, (of: Belongings) => string])[] = [
  ["the tenant", ({ tenant }) => tenant],
  ["a row of the tenant", ({ tenant, runId }) => `${tenant}/run/${runId}`],
  ["a way out of the own one", ({ tenant, runId }) => `../${tenant}/run/${runId}`],
  ["an escaped way", ({ tenant, runId }) => `..%2F${tenant}%2Frun%2F${runId}`],
];

/** Every text field of every RPC with each disguise, the rest of the request being about nothing. */
export function disguisedQuestions(nothing: Belongings): readonly Question[] {
  return plainQuestions.flatMap(({ name }) =>
    rpcMethods[name].desc.input.fields
      .filter((field) => field.fieldKind === "scalar" && field.scalar === ScalarType.STRING)
      .flatMap(({ localName }) =>
        disguises.map(([what, disguise]) => ({
          what: `${name} with ${what} as its ${localName}`,
          name,
          hasLastWord: false,
          request: (asked: Belongings) => ({ ...rpcCases[name](nothing), [localName]: disguise(asked) }),
        })),
      ),
  );
}

/** Two callers who have nothing: what one is answered about the victim, the other is answered about nobody. */
export interface Intruders {
  readonly curious: { readonly tape: Tape; readonly tenant: string };
  readonly control: { readonly tape: Tape; readonly tenant: string };
}

/**
 * Asks everything twice, and says in a sentence each where the answers tell the victim from nobody, and where the victim
 * is in the answer to a question that was not about him.
 */
export async function intrude(
  { curious, control }: Intruders,
  victim: Belongings,
  nobody: Belongings,
  questions: readonly Question[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const names = (Object.values(victim) as string[]).filter((name) => name !== victim.tenant);
  for (const { what, name, request, hasLastWord } of questions) {
    const answers: string[] = [];
    for (const [who, asked] of [
      [curious, victim],
      [control, nobody],
    ] as const) {
      let last = "";
      if (hasLastWord) {
        // What a stream of the feed gives last: an entry of the reader's own behind everything that the victim has.
        last = `last-of-${name}`;
        await who.tape.writeValue({ namespace: last, key: "k", valueJson: "1" });
      }
      const answer = await ask(who.tape, name, request(asked), last);
      if (answer.includes(victim.mark)) found.push(`${what}: a payload of the victim is in the answer`);
      const named = asked === victim ? undefined : names.find((one) => answer.includes(one));
      if (named !== undefined) found.push(`${what}: the answer to another question has the victim's ${named}`);
      answers.push(comparable(answer, who.tenant, [victim, nobody]));
    }
    // A stream without an own last word is left after a while, and what came by then is a matter of luck.
    const isComplete = hasLastWord || rpcMethods[name].kind === "unary";
    if (isComplete && answers[0] !== answers[1]) found.push(`${what}: ${answers[0]} and not ${answers[1]}`);
  }
  return found;
}

/** Questions with what a tenant was handed: page tokens, and places in the feed. */
export async function copiedQuestions(own: Tape, { runId, appName }: Belongings): Promise<readonly Question[]> {
  const { inspect } = own;
  const pageSize = 1;
  const paged: readonly (readonly [RpcName, object, { readonly nextPageToken: string }])[] = [
    ["listRuns", { appName }, await inspect.listRuns({ appName, pageSize })],
    ["listRuns", {}, await inspect.listRuns({ pageSize })],
    ["listAttention", {}, await inspect.listAttention({ pageSize })],
    ["getRunDetail", { runId }, await inspect.getRunDetail({ runId, pageSize })],
    ["readJournal", { runId }, await inspect.readJournal({ runId, pageSize })],
  ];
  const entries = JSON.parse(await read(own, "subscribeEvents", { runId }, "")) as readonly { globalSeq: number }[];
  const places = [entries[0]?.globalSeq ?? 0, entries.at(-1)?.globalSeq ?? 0];
  return [
    ...paged.map(([name, request, { nextPageToken }]) => {
      if (nextPageToken === "") throw new Error(`${name} has one page only, and so no token`);
      const whole = { ...request, pageSize, pageToken: nextPageToken };
      return { what: `${name} with a page token`, name, request: () => whole, hasLastWord: false };
    }),
    ...places.flatMap((fromGlobalSeq) => [
      {
        what: `subscribeEvents from ${fromGlobalSeq}`,
        name: "subscribeEvents" as const,
        request: () => ({ fromGlobalSeq }),
        hasLastWord: true,
      },
      {
        what: `subscribeBySubject from ${fromGlobalSeq}`,
        name: "subscribeBySubject" as const,
        request: () => ({ subjectPattern: "/tape/**", fromGlobalSeq }),
        hasLastWord: true,
      },
    ]),
  ];
}
