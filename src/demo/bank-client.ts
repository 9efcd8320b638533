import { type JsonObject, parseObject } from "./json-lines.ts";
import { type Booking, decodeBooking, type Transfer } from "./ledger.ts";

/** What the bank offers its customers. */
export interface Bank {
  /** Moves money once per idempotency key, however often it is asked. */
  sweep(transfer: Transfer, idempotencyKey: string): Promise<Booking>;
  /** Moves money each time it is asked. */
  wire(transfer: Transfer, reference: string): Promise<Booking>;
  /** The wires on the statement that carry this reference. */
  findWires(reference: string): Promise<readonly Booking[]>;
}

/** Talks to a bank over HTTP. Every method rejects when the answer does not come or is not a success. */
export function connectBank(url: string): Bank {
  const ask = async (path: string, init?: RequestInit): Promise<string> => {
    const response = await fetch(new URL(path, url), init).catch((cause: unknown) => {
      throw new Error(`no answer from the bank at ${url}`, { cause });
    });
    if (!response.ok) throw new Error(`the bank answered ${response.status}: ${await response.text()}`);
    return response.text();
  };
  const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Booking> => {
    const init = {
      method: "POST",
      body: JSON.stringify(body),
      headers: { ...headers, "content-type": "application/json" },
    };
    return decodeBooking(parseObject(await ask(path, init)));
  };
  return {
    sweep: (transfer, idempotencyKey) => post("/sweeps", transfer, { "idempotency-key": idempotencyKey }),
    wire: (transfer, reference) => post("/wires", { ...transfer, reference }),
    findWires: async (reference) => {
      const { wires } = parseObject(await ask(`/wires?reference=${encodeURIComponent(reference)}`));
      if (!Array.isArray(wires)) throw new Error("the bank sent no list");
      return wires.map((wire: JsonObject) => decodeBooking(wire));
    },
  };
}
