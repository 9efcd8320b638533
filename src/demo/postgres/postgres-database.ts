import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openClient } from "../../store/postgres/open-client.ts";
import { parsePostgresUrl, type PostgresTarget } from "../../store/postgres/postgres-url.ts";
import type { Database, DatabaseWay } from "../database.ts";
import { openRelay } from "../relay.ts";
import { findPostmaster, refusal } from "./find-postmaster.ts";
import { holdStatements } from "./held-statements.ts";
import { storeUrlWith } from "./store-url.ts";

/** Who has just said goodbye may be listed for a moment. */
const looksForOthers = 20;
const lookEveryMs = 50;

/**
 * The server of a `postgres:` store, to be killed. What uses it must be the demo's alone, known by the application name
 * of this URL. Errors: CONFIG_INVALID when it is not to be killed, with why and what to do.
 */
export async function postgresDatabase(
  storeUrl: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Database> {
  const target = parsePostgresUrl(storeUrl);
  const postmaster = await findPostmaster(target, env);
  await refuseOthers(target);
  return {
    kill: async () => {
      await refuseOthers(target);
      await postmaster.kill();
    },
    start: () => postmaster.start(),
    hold: (what) => holdStatements(target, what),
    openWay: (folder) => openWay(storeUrl, target, folder),
  };
}

async function refuseOthers(target: PostgresTarget): Promise<void> {
  const client = await openClient(target);
  try {
    for (let look = 1; ; look += 1) {
      const { rows } = await client.query<unknown[]>({
        text: `
select coalesce(nullif(application_name, ''), 'unnamed'), pid from pg_stat_activity
where application_name is distinct from $1 and pid <> pg_backend_pid()
  and (backend_type in ('client backend', 'walsender') or (backend_type is null and datid is not null))`,
        values: [target.applicationName],
        rowMode: "array",
      });
      if (rows.length === 0) return;
      if (look === looksForOthers) {
        const names = rows.map(([name, pid]) => `${String(name)}, pid ${String(pid)}`).join("; ");
        throw refusal(target, `others are connected to it (${names}); end them, name a server of your own`);
      }
      await delay(lookEveryMs);
    }
  } finally {
    await client.end();
  }
}

async function openWay(storeUrl: string, { host, port }: PostgresTarget, folder: string): Promise<DatabaseWay> {
  const socketName = `.s.PGSQL.${port}`;
  const isSocket = host.startsWith("/");
  let deaf = false;
  const relay = await openRelay({
    listen: isSocket ? { path: join(folder, socketName) } : { host, port: 0 },
    target: () => (isSocket ? { path: join(host, socketName) } : { host, port }),
    filter: () => () => !deaf,
  });
  return {
    storeUrl: storeUrlWith(storeUrl, isSocket ? { host: folder } : { port: String(relay.port) }),
    loseAnswers: () => {
      deaf = true;
    },
    mend: () => {
      if (deaf) relay.hangUp();
      deaf = false;
    },
    close: () => relay.close(),
  };
}
