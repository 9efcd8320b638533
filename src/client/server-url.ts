import { TapeError } from "../errors.ts";

const schemes: Readonly<Record<string, { readonly http: string; readonly port: string }>> = {
  "tape:": { http: "http", port: "7878" },
  "tapes:": { http: "https", port: "443" },
};

/**
 * The HTTP origin of a server's URL: `tape://host` is `http://host:7878`, `tapes://host` is `https://host:443`.
 * Errors: ARGUMENT_INVALID.
 */
export function originOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed && schemes[parsed.protocol];
  if (parsed === undefined || scheme === undefined || parsed.hostname === "")
    refuse("it is not tape://host:port or tapes://host:port");
  if (parsed.username !== "" || parsed.password !== "") refuse("it holds credentials; give them as the option `token`");
  if (!["", "/"].includes(parsed.pathname) || parsed.search !== "" || parsed.hash !== "")
    refuse("it goes on behind the port");
  return `${scheme.http}://${parsed.hostname}:${parsed.port || scheme.port}`;
}

/** The message does not repeat the URL: it may hold a secret, and the caller knows it. */
function refuse(fault: string): never {
  throw new TapeError("ARGUMENT_INVALID", `The server's URL cannot be used: ${fault}.`, { ids: { field: "url" } });
}
