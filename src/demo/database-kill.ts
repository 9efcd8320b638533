import type { Database, DatabaseWay } from "./database.ts";
import type { Kill } from "./kill.ts";

/** What is needed to kill the database at a call of a program that stands before it. */
export interface DatabaseKillOptions {
  readonly kill: Kill;
  readonly database: Database;
  readonly way: DatabaseWay | null;
  /** Lets the program make its call. */
  readonly pass: () => void;
  /** Fires when the program has come further: its call touched the database too little to be caught there. */
  readonly cameFurther: AbortSignal;
  readonly tell: () => void;
}

/**
 * Kills the database server and starts it again. `before`: the call meets a dead one. `during`: a statement of the call
 * has begun and is cut off. `after`: the statement is committed and Tape never hears of it.
 */
export async function killDatabase(options: DatabaseKillOptions): Promise<void> {
  const { kill, database, way, pass, cameFurther, tell } = options;
  try {
    if (kill.when === "before") {
      await database.kill();
      tell();
      pass();
      return;
    }
    const hold = await database.hold(isReading(kill.call) ? "all" : "writes");
    try {
      pass();
      await hold.caught(cameFurther);
      if (kill.when === "after") {
        way?.loseAnswers();
        await hold.letGo();
      }
      await database.kill();
      tell();
    } finally {
      await hold.end();
      way?.mend();
    }
  } finally {
    await database.start();
  }
}

const isReading = (call: string): boolean => /^(?:get|list|subscribe)/.test(call);
