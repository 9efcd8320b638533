/** A database server that keeps the journal and may be killed. */
export interface Database {
  /** Kills every process of it with SIGKILL. Resolves when all are gone. Rejects, killing none, when others use it. */
  kill(): Promise<void>;
  /** Starts it as it was started before; resolves when it takes connections. Nothing happens when it runs. */
  start(): Promise<void>;
  /** Makes the statements of Tape wait: those that write, or those that read as well. */
  hold(what: "writes" | "all"): Promise<Hold>;
  /** A way to it that can lose its answers, kept in this folder where it is a socket. */
  openWay(folder: string): Promise<DatabaseWay>;
}

/** Statements of Tape that the database has begun and cannot finish. */
export interface Hold {
  /** Resolves when a statement of Tape waits. Gives up waiting when the signal fires. */
  caught(signal: AbortSignal): Promise<void>;
  /** Lets them go on; resolves when those that waited have ended. */
  letGo(): Promise<void>;
  /** Gives up; the database may be dead by now. */
  end(): Promise<void>;
}

/** A way to the database by which answers can be lost. */
export interface DatabaseWay {
  /** The store's URL by this way. */
  readonly storeUrl: string;
  /** From now on nothing that the database says on the open connections gets through. */
  loseAnswers(): void;
  /** Breaks the connections whose answers were lost; new ones are whole. */
  mend(): void;
  close(): Promise<void>;
}
