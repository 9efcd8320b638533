import type { Append, AppendOutcome } from "../store.ts";
import type { SqliteConnections } from "./sqlite-place.ts";
import type { SqliteReader } from "./sqlite-reader.ts";
import type { WriterThread } from "./writer-thread.ts";

type Writer = Pick<WriterThread, "isAlive" | "append" | "close">;

/** The connections to a journal file: the reader here, the writer in its thread, which is replaced when it dies. */
export class FileConnections implements SqliteConnections {
  readonly reader: SqliteReader;
  readonly #startWriter: () => Promise<Writer>;
  #writer: Promise<Writer>;

  constructor(reader: SqliteReader, writer: Writer, startWriter: () => Promise<Writer>) {
    this.reader = reader;
    this.#writer = Promise.resolve(writer);
    this.#startWriter = startWriter;
  }

  async append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const current = this.#writer;
    const writer = await current;
    if (writer.isAlive) return writer.append(batch);
    if (this.#writer === current) this.#replace(current);
    return (await this.#writer).append(batch);
  }

  /** The thread has died: the database is as its last commit left it, so a new one can go on. */
  #replace(dead: Promise<Writer>): void {
    const next = this.#startWriter();
    this.#writer = next;
    next.catch(() => {
      this.#writer = dead;
    });
  }

  async close(): Promise<void> {
    this.reader.close();
    const writer = await this.#writer.catch(() => undefined);
    await writer?.close();
  }
}
