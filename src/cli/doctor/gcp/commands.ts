import { shellWord } from "../../text/shell-word.ts";

/** Values of a command's flags; `true`: the flag alone. */
type Flags = Readonly<Record<string, string | number | true | undefined>>;

/** `gcloud <command> <words> --flag=value`, as a shell takes it. */
export function gcloud(command: string, words: readonly string[], flags: Flags): string {
  const given = Object.entries(flags).flatMap(([name, value]) =>
    value === undefined ? [] : [value === true ? `--${name}` : shellWord(`--${name}=${value}`)],
  );
  return [`gcloud ${command}`, ...words.map(shellWord), ...given].join(" ");
}

/** Where a project has grants with conditions, gcloud wants to know whether this is to be one. */
export const unconditional = { condition: "None" } as const;

/** Gives somebody a role in a whole project. */
export const grantInProject =
  (project: string, role: string) =>
  (member: string): string =>
    gcloud("projects add-iam-policy-binding", [project], { member, role, ...unconditional });

/** A line for people: what no command can do. */
export const note = (text: string): string => `# ${text}`;
