import { TapeError } from "../../src/errors.ts";
import type { CallOptions } from "../../src/model/call.ts";
import type { Tape } from "../../src/model/tape.ts";
import { StoryServers } from "./story-server.ts";
import { fields, knownInLists, milliseconds, moment, show, showCommit, showError } from "./story-text.ts";

/*
 * A story is a text: prose, commands (`> ...`), and under each command, indented, what it did. `README.md` beside this
 * file has the grammar.
 */

/** Tells a story again: the same prose and commands, with what happens now. */
export async function retell(text: string): Promise<string> {
  const servers = new StoryServers();
  await servers.open();
  const names = new Map<string, string>();
  const told: string[] = [];
  let inOutput = false;
  try {
    for (const line of text.split("\n")) {
      if (line.startsWith("> ")) {
        told.push(line, ...(await perform(line.slice(2), servers, names)).map((happened) => `  ${happened}`));
      } else if (!(inOutput && line.startsWith("  "))) {
        told.push(line);
      }
      inOutput = line.startsWith("> ") || (inOutput && line.startsWith("  "));
    }
  } finally {
    await servers.close();
  }
  return told.join("\n");
}

async function perform(command: string, servers: StoryServers, names: Map<string, string>): Promise<readonly string[]> {
  const answer = await answerTo(command, servers, names);
  await servers.clock.settle();
  const happened = servers.takeCommits().flatMap((commit) => showCommit(commit, names));
  return answer === "" ? happened : [...happened, answer];
}

type AnyCall = (request: Readonly<Record<string, unknown>>, options: CallOptions) => Promise<object>;

async function answerTo(command: string, servers: StoryServers, names: Map<string, string>): Promise<string> {
  const words = tokens(command);
  const [first = "", second = ""] = words;
  if (first === "wait") {
    await servers.clock.advance(milliseconds(second));
    return "";
  }
  if (first === "restart") {
    await servers.restart();
    return "";
  }
  const on = first.endsWith(":") && first !== "lost:" ? first.slice(0, -1) : "";
  const [method = "", ...rest] = first.endsWith(":") ? words.slice(1) : words;
  const call = servers.tape(on)[method as keyof Tape] as AnyCall | undefined;
  if (call === undefined) throw new Error(`no such command: ${command}`);
  const { request, options } = parse(method, rest, names);
  try {
    const answering = call(request, options);
    if (first === "dies:") return "(no answer)";
    const answer = await answering;
    noteRun(answer, request["invocationId"], names);
    return first === "lost:" ? "(the answer is lost)" : `= ${showAnswer(answer, names)}`;
  } catch (error) {
    if (error instanceof TapeError) return showError(error, names);
    throw error;
  }
}

/** The first run of a name gets it. */
function noteRun(answer: object, invocationId: unknown, names: Map<string, string>): void {
  if ("runId" in answer && typeof invocationId === "string" && !names.has(String(answer.runId))) {
    names.set(String(answer.runId), invocationId);
  }
}

function showAnswer(answer: object, names: ReadonlyMap<string, string>): string {
  const [only, ...others] = Object.values(answer) as unknown[];
  if (others.length === 0 && Array.isArray(only)) {
    return only.length === 0 ? "nothing" : only.map((item) => show(item, names, knownInLists)).join(" ");
  }
  return fields(answer, names, hiddenInAnswers);
}

/** The run is that of the command; keys may be new to the reader. */
const hiddenInAnswers: ReadonlySet<string> = new Set([...knownInLists, "run_id"].filter((name) => name !== "session"));

function tokens(command: string): readonly string[] {
  return Array.from(command.matchAll(/(?:[^\s"{[]|"(?:[^"\\]|\\.)*"|\{.*?\}+|\[.*?\])+/g), ([token]) => token);
}

/** Short names of fields. */
const shortNames: Readonly<Record<string, string>> = {
  owner: "leaseOwner",
  ttl: "leaseTtlMs",
  effect: "idempotencyKey",
  tool: "toolName",
  mode: "dispatchMode",
  gate: "gateName",
  timer: "timerId",
  obligation: "obligationSeq",
  session: "sessionId",
  user: "userId",
  app: "appName",
  decision: "decisionIndex",
  next: "nextDispatchAtMs",
  again: "nextAttemptAtMs",
  fire: "fireAtMs",
};

/** What is said beside the request. */
const optionNames: Readonly<Record<string, keyof CallOptions>> = {
  "@epoch": "leaseEpoch",
  "@request": "requestId",
  "@claimer": "claimer",
  "@occurrence": "gateOccurrence",
  "@strict": "strict",
};

function parse(
  method: string,
  words: readonly string[],
  names: ReadonlyMap<string, string>,
): { request: Record<string, unknown>; options: CallOptions } {
  const request: Record<string, unknown> = {};
  const options: Record<string, unknown> = {};
  for (const word of words) {
    const [, name = "", text] = /^(@?\w+)(?:=(.*))?$/.exec(word) ?? [];
    const option = optionNames[name];
    if (option !== undefined) options[option] = text === undefined ? true : valueOf(text);
    else if (text?.startsWith("$") === true) request[shortNames[name] ?? name] = withIds(text, names);
    else if (text !== undefined) request[shortNames[name] ?? name] = name.endsWith("Json") ? text : valueOf(text);
    else if (method === "beginRun") Object.assign(request, { appName: "app", invocationId: name, ...request });
    else request["runId"] = [...names].find(([, known]) => known === name)?.[0] ?? name;
  }
  return { request, options };
}

/** `$A/decision-0/...` with the id of run A. */
const withIds = (text: string, names: ReadonlyMap<string, string>): string =>
  text.replace(/^\$\w+/, (name) => [...names].find(([, known]) => known === name.slice(1))?.[0] ?? name);

function valueOf(text: string): unknown {
  if (/^\+\d/.test(text)) return moment(text);
  if (/^\d+(ms|s|m|h)/.test(text)) return milliseconds(text);
  if (/^(-?\d+(\.\d+)?|true|false|".*")$/.test(text)) return JSON.parse(text) as unknown;
  if (text.startsWith("{")) return JSON.parse(text) as unknown;
  return text.startsWith("[") ? text.slice(1, -1).split(",") : text;
}
