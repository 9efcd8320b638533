import { Client } from "pg";
import { onTestFinished } from "vitest";

/** A session that is not Tape's: an administrator's, or another application's. Ends with the test. */
export async function foreignSession(url: string, application = ""): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: application });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Runs SQL in a session of its own; gives the lines of a single statement. */
export async function ask(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}
