import { once } from "node:events";
import { connect as connectTcp, createServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status as codes,
  type ServerWritableStream,
  type ServiceError,
} from "@grpc/grpc-js";

/** What becomes of a call. */
export type CallAct =
  /** It goes through. */
  | { readonly kind: "pass" }
  /** It is refused with this status before the server hears of it. */
  | { readonly kind: "refuse"; readonly code: number; readonly message?: string }
  /** It reaches the server when the promise resolves, whatever has become of the caller by then. */
  | { readonly kind: "hold"; readonly until: Promise<unknown> }
  /** It reaches the server, and the answer the caller when the promise resolves. */
  | { readonly kind: "hold-answer"; readonly until: Promise<unknown> }
  /** It reaches the server, and the caller's connection breaks instead of the answer. */
  | { readonly kind: "cut-answer" }
  /** The caller's connection breaks before the server hears of it. */
  | { readonly kind: "cut" }
  /** This is the answer; the server hears nothing. */
  | { readonly kind: "answer"; readonly message: Buffer };

/** A call that a caller makes, with how often this method was called before. */
export interface ProxiedCall {
  /** Without its package and service: `CheckAndMutateRow`. */
  readonly method: string;
  readonly count: number;
  readonly request: Buffer;
}

const pass: CallAct = { kind: "pass" };
const same = (bytes: Buffer): Buffer => bytes;

/**
 * Stands between a store and an emulator: every gRPC call goes through it as bytes, and a test decides what becomes of
 * it. All methods are served as server streaming, of which a unary call is a case.
 */
export class GrpcProxy implements AsyncDisposable {
  /** Decides about every call. Default: all pass. */
  act: (call: ProxiedCall) => CallAct = () => pass;
  readonly #server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  readonly #client: Client;
  readonly #counts = new Map<string, number>();
  readonly #requests: ProxiedCall[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #underWay = new Set<Promise<void>>();
  #front: TcpServer | undefined;
  #port = 0;

  private constructor(target: string) {
    this.#client = new Client(target, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  /** @param target `host:port` of the emulator. @param services Full names of services with their methods. */
  static async open(target: string, services: Readonly<Record<string, readonly string[]>>): Promise<GrpcProxy> {
    const proxy = new GrpcProxy(target);
    for (const [service, methods] of Object.entries(services)) proxy.#serve(service, methods);
    await proxy.#listen();
    return proxy;
  }

  /** `host:port` for the store. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** How often each method was called since {@link forget}. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** The calls since {@link forget}, in order. */
  get calls(): readonly ProxiedCall[] {
    return this.#requests;
  }

  /** Counts from 0 again. */
  forget(): void {
    this.#counts.clear();
    this.#requests.length = 0;
  }

  /** Resolves when no more than `left` of the calls that have come so far are under way. */
  async idle(left = 0): Promise<void> {
    while (this.#underWay.size > left) await Promise.race(this.#underWay);
  }

  /** Breaks all connections of callers; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#front?.close();
    this.cut();
    this.#server.forceShutdown();
    this.#client.close();
  }

  #serve(service: string, methods: readonly string[]): void {
    const definition = Object.fromEntries(
      methods.map((method) => [
        method,
        {
          path: `/${service}/${method}`,
          requestStream: false as const,
          responseStream: true as const,
          requestSerialize: same,
          requestDeserialize: same,
          responseSerialize: same,
          responseDeserialize: same,
        },
      ]),
    );
    const handlers = Object.fromEntries(
      methods.map((method) => [
        method,
        (call: ServerWritableStream<Buffer, Buffer>) => {
          const handling = this.#handle(method, `/${service}/${method}`, call).finally(() => {
            this.#underWay.delete(handling);
          });
          this.#underWay.add(handling);
        },
      ]),
    );
    this.#server.addService(definition, handlers);
  }

  async #listen(): Promise<void> {
    const inner = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
    // Connections are cut here: the server itself would say good-bye first.
    const front = createServer((socket) => {
      const behind = connectTcp(inner, "127.0.0.1");
      this.#sockets.add(socket);
      const end = (): void => {
        this.#sockets.delete(socket);
        socket.destroy();
        behind.destroy();
      };
      for (const one of [socket, behind]) {
        // Frames are small and several make a call: with Nagle's algorithm each call takes a delayed acknowledgement, 40 ms.
        one.setNoDelay(true);
        one.on("error", end).on("close", end);
      }
      socket.pipe(behind);
      behind.pipe(socket);
    });
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    this.#front = front;
    this.#port = (front.address() as AddressInfo).port;
  }

  async #handle(method: string, path: string, call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    const count = this.#counts.get(method) ?? 0;
    this.#counts.set(method, count + 1);
    const proxied = { method, count, request: call.request };
    this.#requests.push(proxied);
    const act = this.act(proxied);
    switch (act.kind) {
      case "refuse":
        fail(call, act.code, act.message ?? "refused by the test");
        return;
      case "cut":
        this.cut();
        return;
      case "answer":
        call.write(act.message);
        call.end();
        return;
      case "hold":
        await act.until;
        break;
      default:
    }
    await this.#forward(path, call, act);
  }

  async #forward(path: string, call: ServerWritableStream<Buffer, Buffer>, act: CallAct): Promise<void> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(call.metadata.getMap())) {
      if (!name.startsWith("grpc-") && !name.startsWith(":") && name !== "user-agent") metadata.set(name, value);
    }
    const stream = this.#client.makeServerStreamRequest(path, same, same, call.request, metadata);
    const answers: Buffer[] = [];
    try {
      for await (const answer of stream as AsyncIterable<Buffer>) {
        if (act.kind === "pass" || act.kind === "hold") call.write(answer);
        else answers.push(answer);
      }
    } catch (error) {
      const { code = codes.UNKNOWN, details = "" } = error as Partial<ServiceError>;
      fail(call, code, details);
      return;
    }
    if (act.kind === "cut-answer") {
      this.cut();
      return;
    }
    if (act.kind === "hold-answer") await act.until;
    for (const answer of answers) call.write(answer);
    call.end();
  }
}

function fail(call: ServerWritableStream<Buffer, Buffer>, code: number, details: string): void {
  call.emit("error", Object.assign(new Error(details), { code, details }));
}
