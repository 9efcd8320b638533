import { allEnd, openSockets, type Attack, type Outcome, type Scene } from "../attack.ts";
import type { Door } from "../hostile-socket.ts";
import { callHeaders, frame, flags, greeting, headerBlock, preface } from "../http2-wire.ts";

const everyMs = 100;
const growth = 256 * 1024 ** 2;

/** Connections that send the first part at once, and then the second byte by byte. */
const slowly =
  (first: Uint8Array | string, rest: (scene: Scene) => Uint8Array | string, alpn?: Door["alpn"]): Attack["run"] =>
  async (scene): Promise<Outcome> => {
    const door = { port: scene.target.port, ...(alpn === undefined ? {} : { alpn }) };
    const sockets = await openSockets(door, scene.size.connections);
    for (const socket of sockets) {
      socket.send(first);
      socket.trickle(Buffer.from(rest(scene)), everyMs);
    }
    return allEnd(scene, sockets);
  };

const silent: Attack["run"] = async (scene) =>
  allEnd(scene, await openSockets({ port: scene.target.port }, scene.size.connections));

/** A ClientHello that says that more of it comes than ever does. */
const clientHello = Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), Buffer.alloc(505)]);

const bodyHead = ({ token }: Scene): string =>
  `POST /tape.v1.Tape/GetRun HTTP/1.1\r\nhost: tape\r\nauthorization: Bearer ${token}\r\n` +
  "content-type: application/json\r\ncontent-length: 1000000\r\n\r\n";

/** Headers that never end: END_HEADERS is not set, and no CONTINUATION follows. */
const halfHeaders = ({ token }: Scene): Buffer =>
  frame("headers", flags.endStream, 1, headerBlock(callHeaders("/tape.v1.Tape/GetRun", token)));

/** A call whose body never ends: empty DATA frames without END_STREAM. */
const halfBody = ({ token }: Scene): Buffer =>
  Buffer.concat([
    frame("headers", flags.endHeaders, 1, headerBlock(callHeaders("/tape.v1.Tape/GetRun", token))),
    frame("data", 0, 1, Buffer.alloc(5)),
  ]);

const slow = (attack: Pick<Attack, "name" | "what" | "defence" | "run"> & { readonly tls?: true }): Attack => ({
  mayGrowBy: growth,
  ...attack,
});

/** Those who take for ever to say something, and so keep a connection from others. */
export const slowAttacks: readonly Attack[] = [
  slow({
    name: "silence",
    what: "connections that never say a word",
    defence: "closed after 10 s or TAPE_REQUEST_TIMEOUT_MS, whichever is less",
    run: silent,
  }),
  slow({
    name: "slow-headers",
    what: "HTTP/1.1 headers byte by byte",
    defence: "408 and closed after 10 s or TAPE_REQUEST_TIMEOUT_MS",
    run: slowly("GET /healthz HTTP/1.1\r\nhost: tape\r\n", () => `x-slow: ${"z".repeat(1000)}`),
  }),
  slow({
    name: "slow-body",
    what: "the body of an HTTP/1.1 call byte by byte",
    defence: "408 and closed after TAPE_REQUEST_TIMEOUT_MS",
    run: (scene) => slowly(bodyHead(scene), () => `{"runId": "${"z".repeat(1000)}`)(scene),
  }),
  slow({
    name: "slow-tls",
    what: "a TLS ClientHello byte by byte",
    defence: "closed after 10 s or TAPE_REQUEST_TIMEOUT_MS",
    tls: true,
    // Connections of TCP: what they send is the handshake.
    run: slowly("", () => clientHello),
  }),
  slow({
    name: "slow-preface",
    what: "the HTTP/2 preface byte by byte",
    defence: "closed after 10 s or TAPE_REQUEST_TIMEOUT_MS",
    run: slowly(preface.subarray(0, 3), () => preface.subarray(3)),
  }),
  slow({
    name: "slow-preface-tls",
    what: "the same behind a whole TLS handshake",
    defence: "closed after 10 s or TAPE_REQUEST_TIMEOUT_MS",
    tls: true,
    run: slowly(preface.subarray(0, 3), () => preface.subarray(3), "h2"),
  }),
  slow({
    name: "idle-http2",
    what: "HTTP/2 connections that are greeted and then make no call",
    defence: "GOAWAY and closed after TAPE_IDLE_TIMEOUT_MS",
    run: async (scene) => {
      const sockets = await openSockets({ port: scene.target.port }, scene.size.connections);
      for (const socket of sockets) socket.send(greeting);
      return allEnd(scene, sockets, (fate) => fate === "goaway 0");
    },
  }),
  slow({
    name: "half-headers",
    what: "HTTP/2 headers that never end",
    defence: "GOAWAY and closed after TAPE_IDLE_TIMEOUT_MS: such a stream is no call yet",
    run: (scene) => slowly(greeting, () => halfHeaders(scene).subarray(0, -1))(scene),
  }),
  slow({
    name: "half-body",
    what: "HTTP/2 calls whose body never ends",
    defence: "the stream is reset after TAPE_REQUEST_TIMEOUT_MS, the connection closed after TAPE_IDLE_TIMEOUT_MS",
    run: async (scene) => {
      const sockets = await openSockets({ port: scene.target.port }, scene.size.connections);
      for (const socket of sockets) socket.send(greeting, halfBody(scene));
      return allEnd(scene, sockets);
    },
  }),
];
