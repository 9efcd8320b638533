import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { rpcMethods, type RpcName, type RpcRequest } from "../../../src/rpc/rpc-methods.ts";
import { frameOf } from "../../../src/server/grpc-message.ts";
import { allEnd, bearer, callerOf, mebibyte, openSockets, type Attack, type Outcome, type Scene } from "../attack.ts";
import type { HostileSocket } from "../hostile-socket.ts";
import { Swallower } from "../swallower.ts";

/* Those who take what they are given slowly, or not at all, and those who ask for much at once. */

const streamsAConnection = 1000;

/** Streams and calls on connections of the attacker's making, and how they ended. */
class Hoard {
  readonly #sessions: ClientHttp2Session[] = [];
  readonly fates: Record<string, number> = {};
  open = 0;

  /** A connection; with a window of 0, nothing that it asks for can be sent to it. */
  session({ target }: Scene, window?: number): ClientHttp2Session {
    const settings = window === undefined ? {} : { initialWindowSize: window };
    const session = connect(`http://127.0.0.1:${target.port}`, { settings, maxSessionMemory: 1000 });
    session.on("error", () => {});
    this.#sessions.push(session);
    return session;
  }

  /** Makes one call by hand. The answer is read, or not. */
  call<Name extends RpcName>(
    session: ClientHttp2Session,
    scene: Scene,
    name: Name,
    request: RpcRequest<Name>,
    read: boolean,
  ): ClientHttp2Stream {
    const { path, request: codec } = rpcMethods[name];
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ...headers, ...bearer(scene) });
    this.open += 1;
    stream.on("error", () => {});
    let status = "";
    const remember = (given: Record<string, unknown>): void => {
      const code = given["grpc-status"];
      if (typeof code === "string") status = `grpc-status ${code}`;
    };
    stream.on("response", remember).on("trailers", remember);
    if (read) stream.resume();
    stream.once("close", () => {
      this.open -= 1;
      const fate = status === "" ? `reset ${stream.rstCode ?? constants.NGHTTP2_NO_ERROR}` : status;
      this.fates[fate] = (this.fates[fate] ?? 0) + 1;
    });
    stream.end(frameOf(codec.encode(request)));
    return stream;
  }

  leave(): void {
    for (const session of this.#sessions) session.destroy();
  }

  get connections(): number {
    return this.#sessions.length;
  }
}

/** Writes the value so often, and says when it is done. */
async function writeValue(scene: Scene, key: string, times: number, bytes: number): Promise<void> {
  const caller = callerOf(scene);
  const valueJson = JSON.stringify("v".repeat(bytes - 2));
  for (let index = 0; index < times; index += 1) {
    await caller.unary("writeValue", { namespace: "hostile", key, valueJson, ifVersion: -1 }, bearer(scene));
  }
  caller.close();
}

/** Waits until the server has so many streams, or fewer. */
const streamsOf = async ({ target }: Scene): Promise<number> =>
  (await target.metrics()).get("tape_rpc_streams") ?? Number.NaN;

const idleStreams: Attack["run"] = async (scene) => {
  const hoard = new Hoard();
  const violations: string[] = [];
  const { streams } = scene.size;
  let session = hoard.session(scene);
  for (let index = 0; index < streams; index += 1) {
    if (index > 0 && index % streamsAConnection === 0) {
      await scene.comesTrue(async () => (await streamsOf(scene)) >= index);
      session = hoard.session(scene);
    }
    hoard.call(session, scene, "watchValue", { namespace: "hostile", key: `idle-${index % 7}` }, true);
  }
  if (!(await scene.comesTrue(async () => (await streamsOf(scene)) >= streams))) {
    violations.push(`${await streamsOf(scene)} of ${streams} streams are open`);
  }
  // One more is refused, and calls are not.
  const caller = callerOf(scene);
  const extra = hoard.call(hoard.session(scene), scene, "subscribeEvents", {}, true);
  await new Promise((resolve) => extra.once("close", resolve));
  if (hoard.fates["grpc-status 14"] !== 1) violations.push("a stream beyond TAPE_MAX_PENDING was not refused");
  await caller
    .unary("writeValue", { namespace: "hostile", key: "idle-0", valueJson: "1", ifVersion: -1 }, bearer(scene))
    .catch(() => {
      violations.push("a call was refused because of streams");
    });
  caller.close();
  hoard.leave();
  if (!(await scene.comesTrue(async () => (await streamsOf(scene)) === 0))) violations.push("streams are left over");
  return { connections: hoard.connections, fates: { open: streams, ...hoard.fates }, violations };
};

/** Streams whose readers never read: the server must not keep for them what they do not take. */
const deaf =
  (name: "watchValue" | "subscribeEvents"): Attack["run"] =>
  async (scene): Promise<Outcome> => {
    const hoard = new Hoard();
    const count = scene.size.connections;
    await writeValue(scene, "deaf", 1, mebibyte);
    const session = hoard.session(scene, 0);
    const request = name === "watchValue" ? { namespace: "hostile", key: "deaf" } : {};
    for (let index = 0; index < count; index += 1) hoard.call(session, scene, name, request as never, false);
    await scene.comesTrue(async () => (await streamsOf(scene)) >= Math.min(count, 8));
    await writeValue(scene, "deaf", 20, mebibyte);
    const ended = await scene.comesTrue(async () => (await streamsOf(scene)) === 0);
    const violations = ended ? [] : [`${await streamsOf(scene)} streams are kept for those who do not read`];
    hoard.leave();
    return { connections: 1, fates: { streams: count, ...hoard.fates }, violations };
  };

// Each asks for 10 MiB. More of them at once and what they ask for is more than TAPE_MAX_BUFFERED_BYTES before anybody can
// have taken any of it: then everybody is told so for a moment, by OVERLOADED.
const mostDeaf = 20;

/** The same over HTTP/1.1, where a stream is a connection. */
const deafHttp1: Attack["run"] = async (scene) => {
  await writeValue(scene, "deaf", 1, mebibyte);
  const sockets = await openSockets({ port: scene.target.port }, Math.min(scene.size.connections, mostDeaf));
  const body = JSON.stringify({ namespace: "hostile", key: "deaf" });
  const head = `POST /tape.v1.Tape/GetValue HTTP/1.1\r\nhost: tape\r\nauthorization: ${bearer(scene)["authorization"] ?? ""}\r\n`;
  const request = `${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  for (const socket of sockets) {
    socket.deafen();
    // Pipelined: more answers than the buffers of the system hold.
    socket.send(request.repeat(10));
  }
  // Whoever does not read does not hear the end either; the server's own count says it.
  const ended = await scene.comesTrue(async () => ((await scene.target.metrics()).get("tape_connections") ?? 0) < 10);
  for (const socket of sockets) socket.listen();
  const outcome = await allEnd(scene, sockets);
  return { ...outcome, violations: ended ? [] : ["connections are kept for those who do not read"] };
};

const zeroWindow: Attack["run"] = async (scene) => {
  const hoard = new Hoard();
  await writeValue(scene, "window", 1, mebibyte);
  const session = hoard.session(scene, 0);
  const count = scene.size.connections;
  for (let index = 0; index < count; index += 1) {
    hoard.call(session, scene, "getValue", { namespace: "hostile", key: "window" }, true);
  }
  const ended = await scene.comesTrue(() => hoard.open === 0);
  hoard.leave();
  return {
    connections: 1,
    fates: { ...hoard.fates },
    violations: ended ? [] : [`${hoard.open} answers are kept for a window that never opens`],
  };
};

/** What a server without a limit would let everybody hold. */
const mostGuests = 1000;

/** Streams that need no credential. */
const health: Attack["run"] = async (scene) => {
  const hoard = new Hoard();
  const connections = 4;
  const each = scene.size.streams / connections;
  let answered = 0;
  let refused = 0;
  for (const session of Array.from({ length: connections }, () => hoard.session(scene))) {
    for (let index = 0; index < each; index += 1) {
      const stream = session.request({
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Watch",
        "content-type": "application/grpc",
        te: "trailers",
      });
      // What is refused says so in its first headers; what is open sends a status.
      stream.on("data", () => (answered += 1)).on("error", () => {});
      stream.once("close", () => (refused += 1));
      stream.end(Buffer.alloc(5));
    }
  }
  // Beyond TAPE_MAX_STREAMS on a connection they are not even sent.
  const expected = Math.min(scene.size.streams, mostGuests);
  const held = await scene.comesTrue(() => answered >= expected && answered + refused >= Math.min(each, expected));
  const violations = held ? [] : [`${answered} of ${expected} streams are served`];
  if (answered > mostGuests) violations.push(`${answered} streams are open without a credential`);
  hoard.leave();
  return { connections, fates: { open: answered, refused }, violations };
};

const mostConnections = 100;

const connectionFlood: Attack["run"] = async (scene) => {
  const sockets = await openSockets({ port: scene.target.port }, mostConnections + scene.size.connections);
  const isOpen = (socket: HostileSocket): boolean => socket.fate === "open";
  const refused = await scene.comesTrue(() => sockets.filter(isOpen).length < mostConnections);
  const outcome = await allEnd(scene, sockets);
  return { ...outcome, violations: refused ? outcome.violations : ["more connections are open than may be"] };
};

/** Peers that are gone, and whose connections look alive: what a pulled cable or a frozen machine leaves behind. */
const halfOpen: Attack["run"] = async (scene) => {
  const violations: string[] = [];
  const swallower = await Swallower.open(scene.target.port);
  const session = connect(`http://127.0.0.1:${swallower.port}`);
  session.on("error", () => {});
  const hoard = new Hoard();
  const count = Math.min(scene.size.connections, 100);
  for (let index = 0; index < count; index += 1) {
    hoard.call(session, scene, "watchValue", { namespace: "hostile", key: "gone" }, true);
  }
  await scene.comesTrue(async () => (await streamsOf(scene)) >= count);
  swallower.swallow();
  const ended = await scene.comesTrue(async () => (await streamsOf(scene)) === 0);
  if (!ended) violations.push("streams are kept for a peer that is gone");
  session.destroy();
  await swallower.close();
  return { connections: 1, fates: { "streams freed": ended ? count : 0 }, violations };
};

// What may be in memory at once by TAPE_MAX_BUFFERED_BYTES, as bytes and as the texts they were made of, and as much
// that was not yet collected.
const growth = 4 * 256 * mebibyte;

/** Those who hold what they have. */
export const hoardAttacks: readonly Attack[] = [
  {
    name: "half-open",
    what: "a peer that is gone without a word, with its watches",
    defence: "a PING every TAPE_KEEPALIVE_MS; closed when it is not answered by the next",
    // Elsewhere it is longer: attackers and bystander are one process, which must answer in time while it attacks.
    settings: { TAPE_KEEPALIVE_MS: "1000" },
    mayGrowBy: growth,
    run: halfOpen,
  },
  {
    name: "idle-streams",
    what: "as many idle streams as TAPE_MAX_PENDING allows",
    defence: "borne; one more is UNAVAILABLE, calls go on",
    mayGrowBy: growth,
    run: idleStreams,
  },
  {
    name: "deaf-watchers",
    what: "watches of a value of 1 MiB whose readers never read, while it is written",
    defence: "ended after TAPE_REQUEST_TIMEOUT_MS without progress, or when they hold half of TAPE_MAX_BUFFERED_BYTES",
    mayGrowBy: growth,
    run: deaf("watchValue"),
  },
  {
    name: "deaf-subscribers",
    what: "the same with the feed",
    defence: "the same",
    mayGrowBy: growth,
    run: deaf("subscribeEvents"),
  },
  {
    name: "deaf-http1",
    what: "pipelined HTTP/1.1 calls with large answers that nobody reads",
    defence: "closed after TAPE_REQUEST_TIMEOUT_MS",
    mayGrowBy: growth,
    run: deafHttp1,
  },
  {
    name: "zero-window",
    what: "calls with large answers over a window that never opens",
    defence: "reset after TAPE_REQUEST_TIMEOUT_MS, refused when TAPE_MAX_BUFFERED_BYTES wait",
    mayGrowBy: growth,
    run: zeroWindow,
  },
  {
    name: "health-hoard",
    what: "streams of the health service, which need no credential",
    defence: "at most 1,000 at once, refused beyond",
    mayGrowBy: growth,
    run: health,
  },
  {
    name: "connection-flood",
    what: "more connections than TAPE_MAX_CONNECTIONS",
    defence: "closed at once; those that are open go on",
    settings: { TAPE_MAX_CONNECTIONS: String(mostConnections) },
    mayGrowBy: growth,
    run: connectionFlood,
  },
];
