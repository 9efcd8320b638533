import type { PostgresTarget } from "./postgres-url.ts";

/** A shell command that runs a statement where the target leads. Without the password: psql asks for it. */
export function psqlCommand({ host, port, user, database }: PostgresTarget, statement: string): string {
  const words = [
    ...(host === "" ? [] : ["-h", host]),
    ...(host === "" ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-U", user]),
    ...(database === undefined ? [] : ["-d", database]),
  ];
  return ["psql", ...words.map(quoted), "-c", `"${statement.replaceAll(/["\\$`]/g, String.raw`\$&`)}"`].join(" ");
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
