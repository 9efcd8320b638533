/** A point in a program at which it can be killed: just before or just after one of its calls. */
export interface Point {
  readonly when: "before" | "after";
  /** The call, in words, unique within a program: `recordDecision 1`. */
  readonly call: string;
}

/** Lets a program pass a point; the program waits until the promise resolves. */
export type Gatekeeper = (point: Point) => Promise<void>;

type AnyFunction = (...args: readonly unknown[]) => unknown;

/**
 * A stand-in for `target` that asks the gatekeeper before and after each call, so that the program that uses it needs
 * no word about being watched. Polls that find nothing are not worth a point behind them. Calls are named
 * `<prefix><method>` and what tells them apart.
 */
export function probed<T extends object>(target: T, prefix: string, gatekeeper: Gatekeeper): T {
  const seen = new Map<string, number>();
  const name = (method: string, request: unknown): string => {
    const words = [`${prefix}${method}`, ...details(request)].join(" ");
    if (isPoll(method)) return words;
    const count = (seen.get(words) ?? 0) + 1;
    seen.set(words, count);
    return count === 1 ? words : `${words} (${count})`;
  };
  // Over a copy: what a proxy answers for a frozen object is not its own choice.
  return new Proxy(
    { ...target },
    {
      get: (_, property) => {
        const value: unknown = Reflect.get(target, property);
        if (!isFunction(value) || typeof property !== "string" || untouched.has(property)) return value;
        return (...args: readonly unknown[]) => {
          const call = name(property, args[0]);
          const proceed = (): unknown => Reflect.apply(value, target, args);
          return property.startsWith("subscribe")
            ? probedStream(call, proceed, gatekeeper)
            : probedCall(call, proceed, gatekeeper, isPoll(property));
        };
      },
    },
  );
}

/** Synchronous or of no consequence. */
const untouched: ReadonlySet<string> = new Set(["close", "price", "then"]);

const isPoll = (method: string): boolean => method.startsWith("list");

const isFunction = (value: unknown): value is AnyFunction => typeof value === "function";

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

async function probedCall(
  call: string,
  proceed: () => unknown,
  gatekeeper: Gatekeeper,
  poll: boolean,
): Promise<unknown> {
  await gatekeeper({ when: "before", call });
  const answer = await proceed();
  if (!poll || foundSomething(answer)) await gatekeeper({ when: "after", call });
  return answer;
}

/** A stream has its point `after` behind the first entry. */
async function* probedStream(call: string, proceed: () => unknown, gatekeeper: Gatekeeper): AsyncIterable<unknown> {
  await gatekeeper({ when: "before", call });
  const stream = proceed();
  if (!isStream(stream)) return;
  let first = true;
  for await (const entry of stream) {
    if (first) await gatekeeper({ when: "after", call });
    first = false;
    yield entry;
  }
}

/** What tells one call of a method from another, for people. */
function details(request: unknown): readonly string[] {
  if (typeof request === "number") return [String(request)];
  if (typeof request !== "object" || request === null) return [];
  return ["toolName", "resolution", "decisionIndex"]
    .map((field): unknown => Reflect.get(request, field))
    .filter((value) => typeof value === "string" || typeof value === "number")
    .slice(0, 1)
    .map(String);
}

function foundSomething(answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null) return false;
  return Object.values(answer).some((value) => Array.isArray(value) && value.length > 0);
}
