import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { TapeError } from "../../errors.ts";
import type { Append, AppendOutcome } from "../store.ts";
import { appendOutcomes } from "./append-outcomes.ts";
import { packBatch } from "./packed-batch.ts";
import type { WriterReply, WriterRequest, WriterStart } from "./writer-messages.ts";

/** The compiled `writer.ts`, also when this module itself runs from source. */
const writerProgram = (): string => createRequire(import.meta.url).resolve("#sqlite-writer");

interface Waiting {
  readonly resolve: (reply: WriterReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A writer thread and the requests it has not answered yet. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  #death: unknown = new Error("the writer thread has ended");
  #isAlive = true;

  private constructor(start: WriterStart, program: string | URL) {
    this.#worker = new Worker(program, { workerData: start, execArgv: [], name: "tape-sqlite-writer" });
    this.#worker.on("message", (reply: WriterReply) => this.#answer(reply));
    this.#worker.on("error", (error) => {
      this.#death = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#isAlive = false;
        for (const { reject } of this.#waiting.splice(0)) reject(this.#death);
        resolve();
      });
    });
  }

  /** Starts a thread and waits until its connection is open. Errors: those of opening. */
  static async start(start: WriterStart, program: string | URL = writerProgram()): Promise<WriterThread> {
    const thread = new WriterThread(start, program);
    await thread.#reply();
    return thread;
  }

  /** False once the thread has died; start another one. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Errors: as {@link BatchWriter.apply}. If the thread dies meanwhile, the fate of all elements is unknown. */
  async append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const packed = packBatch(batch);
    let reply: WriterReply;
    try {
      reply = await this.#ask({ kind: "append", batch: packed }, [packed.bytes.buffer, packed.numbers.buffer]);
    } catch (cause) {
      if (cause instanceof TapeError) throw cause;
      return batch.map(() => ({ kind: "unknown", cause }));
    }
    if (reply.kind !== "appended") throw new TapeError("INTERNAL", `the writer thread answered ${reply.kind}`);
    return appendOutcomes(reply);
  }

  /** Waits for what was asked before, moves the log into the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#isAlive) {
      await this.#ask({ kind: "close" }, []);
      this.#worker.ref();
    }
    await this.#exited;
  }

  #ask(request: WriterRequest, handedOver: readonly ArrayBuffer[]): Promise<WriterReply> {
    if (!this.#isAlive) {
      return Promise.reject(
        new TapeError("STORE_UNAVAILABLE", "the writer thread has ended; try again", { cause: this.#death }),
      );
    }
    this.#worker.postMessage(request, handedOver);
    return this.#reply();
  }

  /** The thread keeps the process alive only while somebody waits for it. */
  #reply(): Promise<WriterReply> {
    if (this.#waiting.length === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  #answer(reply: WriterReply): void {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (reply.kind === "refused") {
      waiting?.reject(new TapeError(reply.reason, reply.message, { cause: reply.cause }));
    } else {
      waiting?.resolve(reply);
    }
  }
}
