import type { Client } from "pg";
import type { WakeBroadcast } from "../wake-broadcast.ts";
import type { Connections } from "./connections.ts";
import { quoteIdentifier } from "./schema.ts";
import type { Statement } from "./statements.ts";

/** How the channel is set. */
export interface WakeChannelOptions {
  readonly connections: Connections;
  readonly broadcast: WakeBroadcast;
  /** Name of the channel: the same for every server of one journal. */
  readonly channel: string;
  /** Whether to send NOTIFY. */
  readonly notifies: boolean;
  /** Whether to LISTEN; needs a session of its own, which no pooler gives. */
  readonly listens: boolean;
  /** The highest position, to be looked at when nothing is heard. */
  readonly lastPosition: () => Promise<number>;
}

/** Hints are sent at most this often: each is a transaction, and takes a lock that all senders share. */
const notifyEveryMs = 20;
/** Without a listener, and until one that broke is back. */
const pollMs = 100;
/** Beside a listener: what it missed while it was being made, and a server that forgot to send. */
const slowPollMs = 2000;

/** Nothing is lost with a hint: no commit waits for the disk on its account. */
const hint: Statement = {
  name: "tape_hint",
  text: "select set_config('synchronous_commit', 'off', true), pg_notify($1, '')",
};

/** A connection that listens, from the first attempt to make it on. */
interface Listener {
  readonly client: Promise<Client | undefined>;
  hears: boolean;
}

/** How late a hint may come: the pause of the sender and some, or the pause between two looks. */
export const wakeDelayMs = (listens: boolean): number => (listens ? 2 * notifyEveryMs : pollMs);

/**
 * "Something was committed, maybe elsewhere": LISTEN and NOTIFY with an empty payload, off the commit's path, and a look
 * at the feed now and then. Only while somebody listens here.
 */
export class WakeChannel {
  readonly #options: WakeChannelOptions;
  /** Backends that our own hints come from: whoever listens here was told already. */
  readonly #ownProcesses = new Set<number>();
  #notifying = false;
  #notifyAgain = false;
  #closed = false;
  #polls = false;
  #timer: NodeJS.Timeout | undefined;
  #listener: Listener | undefined;
  #seen = 0;

  constructor(options: WakeChannelOptions) {
    this.#options = options;
  }

  /** Something was committed here. */
  committed(): void {
    this.#options.broadcast.notify();
    if (!this.#options.notifies) return;
    this.#notifyAgain = true;
    if (!this.#notifying) void this.#notify();
  }

  /** Somebody listens from now on. */
  listen(): void {
    if (this.#polls || this.#closed) return;
    this.#polls = true;
    this.#seen = Number.NaN;
    void this.#look();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#dropListener();
  }

  async #notify(): Promise<void> {
    const { connections, channel } = this.#options;
    this.#notifying = true;
    while (this.#notifyAgain && !this.#closed) {
      this.#notifyAgain = false;
      try {
        const answer = await connections.write(hint, [channel], "sending a hint");
        if ("processId" in answer && answer.processId !== undefined) this.#ownProcesses.add(answer.processId);
      } catch {
        // Others look for themselves now and then.
      }
      await pause(notifyEveryMs);
    }
    this.#notifying = false;
  }

  async #look(): Promise<void> {
    const { broadcast, listens, lastPosition } = this.#options;
    if (!broadcast.isHeard || this.#closed) {
      this.#polls = false;
      await this.#dropListener();
      return;
    }
    if (listens) this.#listener ??= this.#startListener();
    const last = await lastPosition().catch(() => Number.NaN);
    // NaN, when it cannot be read, is a change too: whoever is woken meets the error where it can be handled.
    if (last !== this.#seen) broadcast.notify();
    this.#seen = last;
    this.#lookIn(this.#listener?.hears === true ? slowPollMs : pollMs);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  #startListener(): Listener {
    const listener: Listener = { hears: false, client: this.#connect(() => listener) };
    return listener;
  }

  /** @param owner What the connection is of, which may have been dropped, and have a successor, by the time it is there. */
  async #connect(owner: () => Listener): Promise<Client | undefined> {
    const { connections, channel, broadcast } = this.#options;
    let client: Client | undefined;
    try {
      client = await connections.dedicated();
      client.on("end", () => this.#lost(owner()));
      // Of the connections that were lost meanwhile; their numbers may be somebody else's by now.
      this.#ownProcesses.clear();
      client.on("notification", ({ processId }) => {
        if (!this.#ownProcesses.has(processId)) broadcast.notify();
      });
      await client.query(`listen ${quoteIdentifier(channel)}`);
      owner().hears = true;
      return client;
    } catch {
      if (this.#listener === owner()) this.#listener = undefined;
      void client?.end().catch(() => undefined);
      return undefined;
    }
  }

  /** Looking has to do until there is another. The end of one that was dropped says nothing. */
  #lost(listener: Listener): void {
    if (this.#listener !== listener || !listener.hears) return;
    this.#listener = undefined;
    this.#lookIn(pollMs);
  }

  async #dropListener(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    const client = await listener?.client;
    await client?.end().catch(() => undefined);
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
