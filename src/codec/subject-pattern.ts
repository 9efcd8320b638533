import { TapeError } from "../errors.ts";

/**
 * Compiles a subject pattern (R52): segments joined by `/`; `*` matches one segment, `**` the rest and stands last
 * only; empty matches everything. A pattern need not be encoded where it has no special characters.
 * Errors: ARGUMENT_INVALID.
 */
export function compileSubjectPattern(pattern: string): (subject: string) => boolean {
  if (pattern === "") return () => true;
  const invalid = (why: string): TapeError => new TapeError("ARGUMENT_INVALID", `subject_pattern ${why}: ${pattern}`);
  if (!pattern.startsWith("/")) throw invalid("must start with /");
  const wanted = pattern.slice(1).split("/");
  const open = wanted.at(-1) === "**";
  if (open) wanted.pop();
  for (const segment of wanted) {
    if (segment === "**") throw invalid("may have ** at its end only");
    if (segment === "") throw invalid("has an empty segment (an empty name is written _)");
    if (segment !== "*" && segment.includes("*")) throw invalid("may have * only as a whole segment");
  }
  return (subject) => {
    const segments = subject.slice(1).split("/");
    if (open ? segments.length < wanted.length : segments.length !== wanted.length) return false;
    return wanted.every((segment, i) => segment === "*" || segment === segments[i]);
  };
}
