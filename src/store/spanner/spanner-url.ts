import { TapeError } from "../../errors.ts";
import { maskUrl } from "../mask-url.ts";

/** What a store URL says. */
export interface SpannerTarget {
  readonly project: string;
  readonly instance: string;
  readonly database: string;
  /** `host:port` of an emulator. Default: the service, or what `SPANNER_EMULATOR_HOST` names. */
  readonly emulator: string | undefined;
}

/** Names as the service allows them. */
const rules = {
  project: /^[a-z][a-z0-9.:-]{1,98}$/,
  instance: /^[a-z][a-z0-9-]{0,62}[a-z0-9]$/,
  database: /^[a-z][a-z0-9_-]{0,28}[a-z0-9]$/,
} as const;

const hostAndPort = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/;

/** Reads `spanner://project/instance/database`, with `?emulator=host:port` or without. Errors: STORE_URL_INVALID. */
export function parseSpannerUrl(url: string): SpannerTarget {
  const refused = (why: string): TapeError =>
    new TapeError("STORE_URL_INVALID", `store URL ${JSON.stringify(maskUrl(url))} is not valid: ${why}`);
  const [, project, instance, database, query] =
    /^spanner:\/\/([^/?#]+)\/([^/?#]+)\/([^/?#]+)(?:\?([^#]*))?$/i.exec(url) ?? [];
  if (project === undefined || instance === undefined || database === undefined) {
    throw refused("it must be spanner://project/instance/database");
  }
  for (const [name, value] of Object.entries({ project, instance, database })) {
    const rule = rules[name as keyof typeof rules];
    if (!rule.test(value)) throw refused(`the ${name} must match ${rule.source}`);
  }
  return Object.freeze({ project, instance, database, emulator: emulatorIn(query ?? "", refused) });
}

function emulatorIn(query: string, refused: (why: string) => TapeError): string | undefined {
  if (query === "") return undefined;
  const [, host] = /^emulator=([^&]*)$/.exec(query) ?? [];
  if (host === undefined) throw refused("there is one parameter, emulator, given once");
  if (!hostAndPort.test(host)) throw refused("the emulator must be host:port");
  return host;
}

/** The instance's name at the service. */
export const instancePath = ({ project, instance }: SpannerTarget): string =>
  `projects/${project}/instances/${instance}`;

/** The database's name at the service. */
export const databasePath = (target: SpannerTarget): string => `${instancePath(target)}/databases/${target.database}`;

/** The database as people call it. */
export const placeOf = ({ project, instance, database }: SpannerTarget): string =>
  `database ${database} of Spanner instance ${instance} in project ${project}`;
