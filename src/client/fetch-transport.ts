import { TapeError } from "../errors.ts";
import { connectionError } from "./connection-error.ts";
import { readAnswer } from "./grpc-answer.ts";
import { frameOf, FrameReader } from "./grpc-frames.ts";
import { grpcTimeout } from "./grpc-timeout.ts";
import { endOf, type ReplyMetadata, type Transport, type WireCall, type WireReply } from "./transport.ts";

/** gRPC-Web over `fetch`: all that a browser allows, and all that this client needs. Connections are the platform's. */
export function fetchTransport(origin: string): Transport {
  const closing = new AbortController();
  return {
    async unary(call) {
      let only: WireReply | undefined;
      for await (const reply of replies(origin, call, closing.signal)) only = reply;
      if (only === undefined) throw new TapeError("INTERNAL", "The server answered without a message.");
      return only;
    },
    stream: (call) => replies(origin, call, closing.signal),
    close() {
      closing.abort(new TapeError("SHUTTING_DOWN", "The client is closed."));
      return Promise.resolve();
    },
  };
}

async function* replies(
  origin: string,
  call: WireCall,
  closing: AbortSignal,
): AsyncGenerator<WireReply, void, undefined> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([call.signal, closing, leaving.signal]);
  try {
    const response = await fetch(origin + call.path, {
      method: "POST",
      headers: {
        ...call.metadata,
        ...grpcTimeout(call.timeoutMs),
        "content-type": "application/grpc-web+proto",
        "x-grpc-web": "1",
      },
      body: frameOf(call.message),
      signal,
    });
    call.onReached?.();
    const metadata: ReplyMetadata = Object.fromEntries(response.headers);
    let trailers: ReplyMetadata | undefined;
    const reader = new FrameReader();
    for await (const chunk of chunks(response)) {
      for (const frame of reader.push(chunk)) {
        if (frame.trailers) trailers = parseTrailers(frame.data);
        else yield { metadata, message: frame.data };
      }
    }
    const answer = readAnswer(response.status, metadata, trailers);
    if (answer.kind === "error") throw answer.error;
    if (answer.kind === "none") throw connectionError(origin, undefined, true);
  } catch (error) {
    if (signal.aborted) throw endOf(signal);
    throw error instanceof TapeError ? error : connectionError(origin, error, true);
  } finally {
    // Without effect on a response that has ended; one that the reader leaves ends here and on the server.
    leaving.abort();
  }
}

/** Not every browser can iterate a `ReadableStream`. */
async function* chunks(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (chunk?.value === undefined) return;
    yield chunk.value;
  }
}

function parseTrailers(bytes: Uint8Array): ReplyMetadata {
  const lines = new TextDecoder().decode(bytes).split("\r\n");
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
