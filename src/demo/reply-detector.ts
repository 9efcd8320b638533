const frameHeaderBytes = 9;
const dataFrame = 0;
const headersFrame = 1;

/**
 * Watches what an HTTP/2 server sends on one connection, chunk by chunk, and says of each chunk whether part of an
 * answer is in it: a DATA or HEADERS frame, not just the housekeeping of the connection (SETTINGS, WINDOW_UPDATE, PING).
 * Source: RFC 9113, section 4.1.
 */
export function replyDetector(): (chunk: Buffer) => boolean {
  let header = Buffer.alloc(0);
  let payloadLeft = 0;
  return (chunk) => {
    let found = false;
    let at = 0;
    while (at < chunk.length) {
      const skipped = Math.min(payloadLeft, chunk.length - at);
      payloadLeft -= skipped;
      at += skipped;
      const wanted = frameHeaderBytes - header.length;
      header = Buffer.concat([header, chunk.subarray(at, at + wanted)]);
      at += wanted;
      if (header.length < frameHeaderBytes) break;
      payloadLeft = header.readUIntBE(0, 3);
      found ||= header[3] === dataFrame || header[3] === headersFrame;
      header = Buffer.alloc(0);
    }
    return found;
  };
}
