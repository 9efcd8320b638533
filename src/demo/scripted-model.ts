import { appendLine, type JsonObject, numberField, parseObject, readLines, textField } from "./json-lines.ts";

/** What a model call costs. */
interface Price {
  readonly usd: number;
  readonly tokens: number;
}

/** What the model wants done next. */
export interface Answer {
  /** Which call of the model's life gave this answer, from 1: no two answers are the same. */
  readonly call: number;
  readonly action: "sweep" | "wire" | "finish";
  readonly cents: number;
  readonly account: string;
  readonly text: string;
}

/** A model that may be asked. */
export interface Model {
  readonly name: string;
  /** Asks for decision `index`, given what has happened so far. */
  ask(index: number, facts: readonly string[]): Promise<Answer>;
  /** What call `index` costs. */
  price(index: number): Price;
}

/** One line of the model's own log: somebody asked. */
export interface ModelCall {
  readonly call: number;
  readonly index: number;
}

interface Line extends Price {
  readonly answer: Omit<Answer, "call">;
}

/** The script: what is answered to decision 0, 1, 2, and what that call costs. */
export const script: readonly [Line, Line, Line] = [
  {
    usd: 0.0125,
    tokens: 1_800,
    answer: {
      action: "sweep",
      cents: 25_000_000,
      account: "reserve",
      text: "Operating cash is above target: sweep it.",
    },
  },
  {
    usd: 0.014,
    tokens: 2_050,
    answer: { action: "wire", cents: 4_825_000, account: "Acme Supplies", text: "Invoice 2041 is due today: wire it." },
  },
  {
    usd: 0.0095,
    tokens: 1_400,
    answer: { action: "finish", cents: 0, account: "", text: "Swept and paid. Books are closed for today." },
  },
];

/** A model that answers from the script and writes every call to a log of its own, so that calls can be counted. */
export function scriptedModel(logFile: string): Model {
  const line = (index: number): Line => {
    const found = script[index];
    if (found === undefined) throw new Error(`the script has no decision ${index}`);
    return found;
  };
  return {
    name: "scripted-1",
    ask: (index) => {
      const call = readModelCalls(logFile).length + 1;
      appendLine(logFile, { call, index });
      return Promise.resolve({ call, ...line(index).answer });
    },
    price: (index) => ({ usd: line(index).usd, tokens: line(index).tokens }),
  };
}

/** Every call the model has had, oldest first. */
export function readModelCalls(logFile: string): readonly ModelCall[] {
  return readLines(logFile, (object) => ({ call: numberField(object, "call"), index: numberField(object, "index") }));
}

/** Reads an answer back from the journal. */
export function decodeAnswer(text: string): Answer {
  const object: JsonObject = parseObject(text);
  const action = textField(object, "action");
  if (action !== "sweep" && action !== "wire" && action !== "finish") throw new Error(`unknown action ${action}`);
  return {
    call: numberField(object, "call"),
    action,
    cents: numberField(object, "cents"),
    account: textField(object, "account"),
    text: textField(object, "text"),
  };
}
