import { setTimeout as delay } from "node:timers/promises";
import { openClient } from "../../store/postgres/open-client.ts";
import { sqlState } from "../../store/postgres/postgres-failure.ts";
import type { PostgresTarget } from "../../store/postgres/postgres-url.ts";
import { quoteIdentifier } from "../../store/postgres/schema.ts";
import type { Hold } from "../database.ts";

type Client = Awaited<ReturnType<typeof openClient>>;

const lockNotAvailable = "55P03";
const pollMs = 10;
/** What waits for so many looks, and nothing more with it, is all there is. */
const quietLooks = 3;

/**
 * Makes the statements of Tape wait, by locks on its tables. EXCLUSIVE stops who writes and lets readers pass, so that a
 * call that reads first is met at its commit.
 */
export async function holdStatements(target: PostgresTarget, what: "writes" | "all"): Promise<Hold> {
  const locker = await openClient(target);
  const looker = await openClient(target);
  const end = async (): Promise<void> => {
    // Where the server was killed there is nobody to say goodbye to.
    for (const client of [locker, looker]) await client.end().catch(() => undefined);
  };
  const waiting = async (): Promise<ReadonlySet<number>> =>
    pidsOf(looker, "wait_event_type = 'Lock'", target.applicationName);
  try {
    await lock(locker, target.schema, what);
    // The server's own looks may have run into the lock already.
    const before = await waiting();
    let caught: readonly number[] = [];
    return {
      caught: async (signal) => {
        let looks = 0;
        while (!signal.aborted && looks < quietLooks) {
          const found = [...(await waiting())].filter((pid) => !before.has(pid));
          looks = found.length > 0 && found.length === caught.length ? looks + 1 : 0;
          caught = found;
          await delay(pollMs);
        }
      },
      letGo: async () => {
        await locker.query("rollback");
        const atWork = (): Promise<ReadonlySet<number>> => pidsOf(looker, "state = 'active'", target.applicationName);
        for (let busy = await atWork(); caught.some((pid) => busy.has(pid)); busy = await atWork()) await delay(pollMs);
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Never waits for a lock: whoever it waited for might wait for another that it holds. */
async function lock(client: Client, schema: string, what: "writes" | "all"): Promise<void> {
  const tables = what === "all" ? ["tape_rows", "tape_entries", "tape_index"] : ["tape_rows"];
  const names = tables.map((table) => `${quoteIdentifier(schema)}.${table}`).join(", ");
  const mode = what === "all" ? "access exclusive" : "exclusive";
  for (;;) {
    try {
      await client.query(`begin; lock table ${names} in ${mode} mode nowait`);
      return;
    } catch (error) {
      await client.query("rollback");
      if (sqlState(error) !== lockNotAvailable) throw error;
      await delay(pollMs);
    }
  }
}

async function pidsOf(client: Client, condition: string, applicationName: string): Promise<ReadonlySet<number>> {
  const { rows } = await client.query<unknown[]>({
    text: `select pid from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid() and ${condition}`,
    values: [applicationName],
    rowMode: "array",
  });
  return new Set(rows.map(([pid]) => Number(pid)));
}
