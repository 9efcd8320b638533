import fc from "fast-check";
import { compileSubjectPattern } from "../../../src/codec/subject-pattern.ts";
import { pure, refusalOf, wrong, type Target } from "../target.ts";

/** A pattern and a subject, each as its segments. */
interface Input {
  readonly pattern: string;
  readonly subject: string;
}

const segments = fc.oneof(
  fc.constantFrom("*", "**", "_", "%5F", "a", "b", "tape", "run", "", "a*", "***", "%2F"),
  fc.string({ unit: "grapheme", maxLength: 4 }),
);
const path = fc.array(segments, { maxLength: 12 }).map((parts) => `/${parts.join("/")}`);

/** By the book (R52), with nothing shared with what it judges. */
function matchesByTheBook(pattern: readonly string[], subject: readonly string[]): boolean {
  const [wanted, ...rest] = pattern;
  if (wanted === undefined) return subject.length === 0;
  if (wanted === "**") return true;
  const [found, ...others] = subject;
  return found !== undefined && (wanted === "*" || wanted === found) && matchesByTheBook(rest, others);
}

function isPatternByTheBook(pattern: string): boolean {
  if (!pattern.startsWith("/")) return false;
  const parts = pattern.slice(1).split("/");
  return parts.every(
    (part, i) => part !== "" && (!part.includes("*") || part === "*" || (part === "**" && i === parts.length - 1)),
  );
}

/** A subject that counts how often a segment of it is looked at. */
function counted(subject: string): { readonly subject: string; readonly looks: () => number } {
  let looks = 0;
  const counting = (parts: readonly string[]): readonly string[] =>
    new Proxy(parts, {
      get(target, name, receiver) {
        if (typeof name === "string" && /^\d+$/.test(name)) looks += 1;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
  const text = { slice: (from: number) => ({ split: (by: string) => counting(subject.slice(from).split(by)) }) };
  return { subject: text as unknown as string, looks: () => looks };
}

type Compile = typeof compileSubjectPattern;

/** Tries a matcher against {@link matchesByTheBook}. */
export const checkSubjects =
  (compile: Compile) =>
  ({ pattern, subject }: Input): string => {
    const isPattern = pattern === "" || isPatternByTheBook(pattern);
    let matches: (subject: string) => boolean;
    try {
      matches = compile(pattern);
    } catch (error) {
      refusalOf(error, "ARGUMENT_INVALID");
      return isPattern ? wrong("a good pattern is refused") : "refused";
    }
    if (!isPattern) wrong("a bad pattern is taken");
    const expected = pattern === "" || matchesByTheBook(pattern.slice(1).split("/"), subject.slice(1).split("/"));
    if (matches(subject) !== expected) wrong(`the subject ${expected ? "must" : "must not"} match`);
    const look = counted(subject);
    matches(look.subject);
    if (look.looks() > pattern.split("/").length) wrong(`${look.looks()} comparisons for ${pattern.length} characters`);
    return expected ? "match" : "no match";
  };

/** Subject patterns (R52): the same as by the book, and never more comparisons than the pattern has segments. */
export const subjects: Target<Input> = {
  name: "subjects",
  inputs: fc.oneof(
    fc.record({ pattern: fc.oneof(path, fc.string({ maxLength: 8 })), subject: path }),
    // A subject that its pattern was made of.
    path.chain((subject) =>
      fc.array(fc.constantFrom("keep", "*", "**"), { minLength: 1, maxLength: 12 }).map((changes) => ({
        subject,
        pattern: subject
          .split("/")
          .map((part, i) => (i > 0 && changes[i] !== "keep" ? (changes[i] ?? part) : part))
          .join("/"),
      })),
    ),
  ),
  open: pure(checkSubjects(compileSubjectPattern)),
};
