import { TapeError } from "../../errors.ts";
import { urlParts } from "../../store/postgres/url-parts.ts";

/** What a program of the demo has otherwise than the user wrote it. */
export type UrlChanges = Partial<Readonly<Record<"schema" | "application_name" | "host" | "port", string>>>;

/** The same store URL with these parameters; whatever stood before the `?` stands behind it then. */
export function storeUrlWith(url: string, changes: UrlChanges): string {
  const { scheme, parameters, database, ...login } = urlParts(url, (why) => new TapeError("STORE_URL_INVALID", why));
  const all = { ...login, dbname: database, ...Object.fromEntries(parameters), ...changes };
  const query = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return `${scheme}://?${query.join("&")}`;
}
