import type { Database } from "./database.ts";
import { feedRange, shards } from "./keys.ts";
import { momentAt, type Moment } from "./values.ts";

/** Tells commits of other servers by feed rows later than the moment of the last look. */
export class LatestCommits {
  readonly #database: Database;
  #seen: Moment | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether there are any. The first time nobody knows, and a hint too many does no harm. */
  async haveCome(): Promise<boolean> {
    const seen = this.#seen;
    this.#seen = undefined;
    const ranges = shards.map((shard) => feedRange(shard, seen ?? momentAt(0), false));
    const read = { table: "tape_feed", columns: ["shard"], keySet: { ranges }, limit: 1 };
    const { rows, at } = await this.#database.read(read);
    this.#seen = at;
    return seen === undefined || rows.length > 0;
  }
}
