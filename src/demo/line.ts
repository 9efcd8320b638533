import { openRelay } from "./relay.ts";
import { replyDetector } from "./reply-detector.ts";

/** A cable between one program and the server: it stays when the server dies, and it can lose an answer on purpose. */
export interface Line {
  /** Where the program connects to. */
  readonly port: number;
  /** Leads to the server on this port from now on. */
  plug(serverPort: number): void;
  /**
   * From now on nothing the server says gets through. Resolves when the server has answered the call that is made
   * next: it has done what was asked, and the program will never hear of it.
   */
  loseNextAnswer(): Promise<void>;
  close(): Promise<void>;
}

const host = "127.0.0.1";

/** Opens a line on a free port; connections are refused by hanging up until it is plugged in. */
export async function openLine(): Promise<Line> {
  let serverPort = 0;
  let losing: (() => void) | null = null;
  const relay = await openRelay({
    listen: { host, port: 0 },
    target: () => (serverPort === 0 ? null : { host, port: serverPort }),
    filter: () => {
      const isReply = replyDetector();
      return (chunk) => {
        const replied = isReply(chunk);
        if (losing === null) return true;
        if (replied) losing();
        return false;
      };
    },
  });
  return {
    port: relay.port,
    plug: (port) => {
      serverPort = port;
    },
    loseNextAnswer: () =>
      new Promise((resolve) => {
        losing = () => {
          losing = null;
          serverPort = 0;
          relay.hangUp();
          resolve();
        };
      }),
    close: () => relay.close(),
  };
}
