import type { Commit } from "./story-server.ts";

/* How a story tells what happened: short, with names for runs and times from the start of the story. */

const startMs = Date.UTC(2026, 0, 1);

/** `90s` as milliseconds. */
export function milliseconds(text: string): number {
  const found = [...text.matchAll(/(\d+)(ms|s|m|h)/g)];
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (found.length === 0) throw new Error(`not a time: ${text}`);
  return found.reduce((sum, [, count = "", unit = ""]) => sum + Number(count) * (units[unit] ?? 0), 0);
}

/** A moment of the story, as the number that the calls take. */
export const moment = (text: string): number => startMs + milliseconds(text);

/** A moment as a reader sees it: time since the start. */
function since(ms: number): string {
  const after = ms - startMs;
  const [minutes, rest] = [Math.floor(after / 60_000), after % 60_000];
  const seconds = rest % 1000 === 0 ? `${rest / 1000}s` : `${rest}ms`;
  return minutes === 0 ? `+${seconds}` : `+${minutes}m${rest === 0 ? "" : seconds}`;
}

/** Facts that never change, and what a reader knows from the command. */
const known: ReadonlySet<string> = new Set(
  `app user session run_id invocation_id tenant_id actor subject agent_id kind format aiplex_instance_id gateway_route
  scopes labels started_at_ms seq payload_bytes idempotency_key tool decision_index semantics dispatch_mode business_key
  connector scope timer_id gate obligation_seq ts_ms next_seq seq_cursor tool_name created_at_ms diverged model
  policy_version rationale max_attempts app_name user_id session_id event_id author namespace key writer`.split(/\s+/),
);
const listed = "run_id idempotency_key timer_id";
/** In a list the names tell what is meant. */
export const knownInLists: ReadonlySet<string> = new Set([...known].filter((name) => !listed.includes(name)));

const knownOfKeys: ReadonlySet<string> = new Set([...known].filter((name) => name !== "run_id"));

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const isEmpty = (value: unknown): boolean =>
  ["", 0, null, undefined].includes(value as null) ||
  (typeof value === "object" && Object.values(value ?? {}).every(isEmpty));

/** Names of runs by their ids. */
export type RunNames = ReadonlyMap<string, string>;

/** A value as a reader sees it: no quotes, no empty fields, runs by name, times from the start. */
export function show(value: unknown, names: RunNames, hidden?: ReadonlySet<string>): string {
  if (isEmpty(value)) return "none";
  if (typeof value === "number") return value >= startMs && value < 2 * startMs ? since(value) : String(value);
  if (Array.isArray(value)) return `[${value.map((item) => show(item, names)).join(", ")}]`;
  if (typeof value === "object") return `{${fields(value as object, names, hidden)}}`;
  return withNames(typeof value === "string" ? value : JSON.stringify(value), names);
}

/** What comes first; the rest by name, since the order of fields in memory is nobody's business. */
const first: readonly string[] =
  "found acquired delivered accepted cancelled resumed run_id idempotency_key timer_id effect_key status".split(" ");
const rank = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length);

/** The fields of an object that tell something. */
export const fields = (object: object, names: RunNames, hidden: ReadonlySet<string> = known): string =>
  Object.entries(object)
    .map(([name, value]) => [snake(name), value as unknown] as const)
    .filter(([name, value]) => !hidden.has(name) && !isEmpty(value))
    .toSorted(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([name, value]) => `${name.replace(/_ms$/, "")}=${show(value, names)}`)
    .join(" ");

const withNames = (text: string, names: RunNames): string => {
  let named = text;
  for (const [id, name] of names) named = named.replaceAll(id, name);
  return named;
};

/** What a refusal says. */
export const showError = (error: { readonly reason: string; readonly message: string }, names: RunNames): string =>
  `! ${error.reason}: ${withNames(error.message, names)}`;

/** What a commit did: its entries, then what changed in the head. */
export function showCommit({ row, entries, before, after }: Commit, names: RunNames): readonly string[] {
  const of = withNames(row.replace(/^~\/(run\/)?/, ""), names);
  const lines = entries.map((entry) => {
    const told = fields(JSON.parse(entry.meta) as object, names);
    const what = entry.ref.length > 1 ? ` ${withNames(entry.ref.replace(/^[a-z]\//, ""), names)}` : "";
    return `${of} #${entry.seq} ${entry.kind}${what}${told === "" ? "" : `: ${told}`}`;
  });
  // The row of a business key says whose it is.
  const facts = after["kind"] === "business-key" ? knownOfKeys : known;
  const [was, is] = [parts(before), parts(after)];
  const changes = [...new Set([...is.keys(), ...was.keys()])]
    .filter((name) => !facts.has(name) && JSON.stringify(was.get(name)) !== JSON.stringify(is.get(name)))
    .filter((name) => !(isEmpty(was.get(name)) && isEmpty(is.get(name))))
    .map((name) => {
      const now = show(is.get(name), names);
      return `${withNames(name, names).replace(/_ms$/, "")} ${isEmpty(was.get(name)) ? now : `${show(was.get(name), names)} -> ${now}`}`;
    });
  if (changes.length === 0) return lines.length === 0 ? [`${of} head: as it was`] : lines;
  return [...lines, `${of} head: ${changes.join(", ")}`];
}

/** The parts of a head that change on their own: its fields, and the items of its lists by what names them. */
function parts(head: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, value] of Object.entries(head)) {
    if (!Array.isArray(value) || value.some((item) => typeof item !== "object")) found.set(name, value);
    else {
      for (const { key, id, seq, ...rest } of value as Record<string, unknown>[]) {
        found.set(`${name.replace(/s$/, "")} ${String(key ?? id ?? seq)}`, rest);
      }
    }
  }
  return found;
}
