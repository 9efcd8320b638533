import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type JsonObject, numberField, parseObject, textField } from "./json-lines.ts";
import { book, type Booking, readLedger } from "./ledger.ts";

/** Options of {@link openBank}. */
export interface BankOptions {
  /** The bank's own ledger; read at start, appended to. */
  readonly ledgerFile: string;
  /** 0: any free one. */
  readonly port: number;
  /** Books the first wire of its life and drops the connection instead of answering. */
  readonly loseFirstWireAnswer: boolean;
  /** Told about every booking. */
  readonly say: (line: string) => void;
}

/** A bank that listens. */
export interface RunningBank {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A bank as banks are. `POST /sweeps` honours an `idempotency-key`: the same key is booked once. `POST /wires` honours
 * nothing: every request that arrives moves money. `GET /wires?reference=` searches the statement.
 */
export async function openBank(options: BankOptions): Promise<RunningBank> {
  let answersToLose = options.loseFirstWireAnswer ? 1 : 0;
  const routes: Readonly<Record<string, Route>> = {
    "POST /sweeps": ({ request, body, response }) => {
      const key = String(request.headers["idempotency-key"] ?? "");
      const known = readLedger(options.ledgerFile).find((one) => one.kind === "sweep" && one.key === key);
      if (known !== undefined) {
        options.say(`sweep ${known.ref} was booked already under this key: same answer, no money moved`);
        reply(response, 200, known);
        return;
      }
      reply(response, 201, move("sweep", key, body));
    },
    "POST /wires": ({ body, response }) => {
      const booked = move("wire", textField(body, "reference"), body);
      if (answersToLose > 0) {
        answersToLose -= 1;
        options.say("the connection breaks before the answer is out");
        response.destroy();
        return;
      }
      reply(response, 201, booked);
    },
    "GET /wires": ({ query, response }) => {
      const reference = query.get("reference");
      const wires = readLedger(options.ledgerFile).filter((one) => one.kind === "wire" && one.key === reference);
      reply(response, 200, { wires });
    },
  };

  const move = (kind: Booking["kind"], key: string, body: JsonObject): Booking => {
    const number = readLedger(options.ledgerFile).length + 1;
    const ref = `${kind === "sweep" ? "S" : "W"}-${1000 + number}`;
    const booking = { kind, ref, cents: numberField(body, "cents"), account: textField(body, "account"), key };
    book(options.ledgerFile, booking);
    options.say(`${kind} ${ref} booked: ${dollars(booking.cents)} to ${booking.account}`);
    return booking;
  };

  const server = createServer((request, response) => {
    serve(routes, request, response).catch((error: unknown) => {
      reply(response, 400, { error: error instanceof Error ? error.message : "bad request" });
    });
  });
  return listening(server, options.port);
}

/** Cents as people write them. */
export function dollars(cents: number): string {
  return `${(cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2 })} USD`;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  readonly response: ServerResponse;
}

type Route = (exchange: Exchange) => void;

async function serve(
  routes: Readonly<Record<string, Route>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://bank");
  const route = routes[`${request.method} ${url.pathname}`];
  if (route === undefined) {
    reply(response, 404, { error: "no such service" });
    return;
  }
  request.setEncoding("utf8");
  let text = "";
  for await (const chunk of request) text += String(chunk);
  route({ request, query: url.searchParams, body: text === "" ? {} : parseObject(text), response });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function listening(server: Server, port: number): Promise<RunningBank> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the bank has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
