import { connectTape } from "../../src/client/connect-tape.ts";
import type { ClientOptions } from "../../src/client/client-options.ts";
import type { Tape } from "../../src/model/tape.ts";
import { type Script, StubServer } from "./stub-server.ts";

/** Servers and clients of one test, closed together at its end. */
export class Stage implements AsyncDisposable {
  readonly #open: AsyncDisposable[] = [];

  /** Closes something at the end, before what was kept earlier. */
  keep<Kept extends AsyncDisposable>(one: Kept): Kept {
    this.#open.push(one);
    return one;
  }

  /** A server that says what the script says. */
  async server(script: Script, settings?: { readonly maxConcurrentStreams?: number }): Promise<StubServer> {
    const server = await new StubServer(script, settings).listen();
    this.keep({ [Symbol.asyncDispose]: () => server.close() });
    return server;
  }

  /** A client that tries again without much waiting. */
  client(server: { readonly url: string }, options: ClientOptions = {}): Tape {
    return this.keep(connectTape(server.url, { retries: { baseDelayMs: 1 }, ...options }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  }
}

/** What a stream gives, up to so many items. */
export async function collect<Item>(items: AsyncIterable<Item>, atMost: number = Infinity): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) if (collected.push(item) >= atMost) break;
  return collected;
}

/** An answer for calls about which a test says nothing. */
export const budget: object = Object.freeze({ runId: "r", usdCap: 1, tokenCap: 2, usdSpent: 0.5, tokensSpent: 1 });
