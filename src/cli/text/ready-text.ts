import type { ServerConfig } from "../../server/config.ts";
import type { Terminal } from "../terminal.ts";
import { columns } from "./columns.ts";

/** What a server says once it takes calls. */
export interface Ready {
  readonly version: string;
  /** `tape://host:port`, or `tapes://` with TLS. */
  readonly url: string;
  /** The masked URL. */
  readonly store: string;
  readonly auth: ServerConfig["auth"];
}

/** The first line is for programs too: it alone is printed where nobody looks. */
export function readyText(
  { version, url, store, auth }: Ready,
  { colours, interactive }: Pick<Terminal, "colours" | "interactive">,
): string[] {
  if (!interactive) return [`Tape ${version} listens on ${url}, store ${store}`];
  const credential = auth !== "none" ? ` -H "authorization: Bearer $TAPE_TOKEN"` : "";
  const origin = url.replace(/^tape/, "http").replace(/\/\/(0\.0\.0\.0|\[::\]):/, "//127.0.0.1:");
  const body = `'{"appName": "hello", "invocationId": "1"}'`;
  const facts = [
    ["store", store],
    ["auth", auth === "none" ? "none: whoever reaches the port may do anything" : auth],
    ["try", `curl ${origin}/tape.v1.Tape/BeginRun -H "content-type: application/json"${credential} -d ${body}`],
    ["look", "tape tail --from start"],
    ["stop", "Ctrl-C"],
  ] as const;
  const rows = facts.map(([name, text]) => [{ text: name, paint: colours.dim }, text]);
  const head = `${colours.bold(`Tape ${version}`)} listens on ${colours.green(url)}`;
  return [head, ...columns(rows).map((line) => `  ${line}`)];
}
