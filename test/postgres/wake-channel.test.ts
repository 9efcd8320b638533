import type { Client } from "pg";
import { expect, it, onTestFinished } from "vitest";
import { Connections } from "../../src/store/postgres/connections.ts";
import { parsePostgresUrl } from "../../src/store/postgres/postgres-url.ts";
import { WakeChannel } from "../../src/store/postgres/wake-channel.ts";
import { WakeBroadcast } from "../../src/store/wake-broadcast.ts";
import { eventually } from "../eventually.ts";
import { describePostgres, newSchema } from "./shared-server.ts";

/** Tells when it was seen that nobody listens any more. */
class WatchedBroadcast extends WakeBroadcast {
  foundSilent = false;

  override get isHeard(): boolean {
    const isHeard = super.isHeard;
    this.foundSilent ||= !isHeard;
    return isHeard;
  }
}

/** Real connections; the first one that is to listen has to wait before it does. */
class SlowToListen extends Connections {
  readonly made: Client[] = [];
  listenNow: () => void = () => undefined;
  #isWaiting = new Promise<void>((resolve) => (this.listenNow = resolve));

  override async dedicated(): Promise<Client> {
    const client = await super.dedicated();
    this.made.push(client);
    const wait = this.#isWaiting;
    const query = client.query.bind(client) as (text: string) => Promise<unknown>;
    Object.assign(client, { query: async (text: string) => wait.then(() => query(text)) });
    return client;
  }
}

describePostgres("hints", () => {
  it("are listened for again by whoever comes after one that left while the connection was being made", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const connections = new SlowToListen(parsePostgresUrl(schema.url));
    const broadcast = new WatchedBroadcast();
    const options = { broadcast, channel: "tape_hints", notifies: true, listens: true, lastPosition: async () => 0 };
    const channel = new WakeChannel({ ...options, connections });
    onTestFinished(async () => {
      await channel.close();
      await connections.close();
    });
    const [leaving, staying] = [new AbortController(), new AbortController()];
    broadcast.listen(leaving.signal);
    channel.listen();
    await eventually(() => expect(connections.made).toHaveLength(1));
    leaving.abort();
    await eventually(() => expect(broadcast.foundSilent).toBe(true));
    const gone = new Promise((resolve) => connections.made[0]?.once("end", resolve));
    connections.listenNow();
    await gone;

    broadcast.listen(staying.signal);
    channel.listen();
    await eventually(() => expect(connections.made).toHaveLength(2));
  });
});
