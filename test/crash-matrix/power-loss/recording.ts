/** One thing that a process did to a file, in the order in which it was done. */
export type Operation =
  | { readonly kind: "create" | "sync" | "unlink"; readonly path: string }
  | { readonly kind: "truncate"; readonly path: string; readonly length: number }
  | { readonly kind: "write"; readonly path: string; readonly offset: number; readonly data: Buffer }
  /** What the process itself had to say: that a reply is about to leave. */
  | { readonly kind: "mark"; readonly text: string };

const headerBytes = 16;

/** Reads the log of `recorder.c`. A record that its process did not live to finish is not there. */
export function readRecording(log: Buffer): readonly Operation[] {
  const operations: Operation[] = [];
  for (let at = 0; at + headerBytes <= log.length;) {
    if (log[at] !== "R".charCodeAt(0)) throw new TypeError(`the recording is broken at byte ${at}`);
    const code = String.fromCharCode(log[at + 1] ?? 0);
    const pathEnd = at + headerBytes + log.readUInt16LE(at + 2);
    const end = pathEnd + log.readUInt32LE(at + 4);
    if (end > log.length) break;
    const offset = Number(log.readBigUInt64LE(at + 8));
    operations.push(
      operationOf(code, log.toString("utf8", at + headerBytes, pathEnd), offset, log.subarray(pathEnd, end)),
    );
    at = end;
  }
  return operations;
}

function operationOf(code: string, path: string, offset: number, data: Buffer): Operation {
  switch (code) {
    case "C":
      return { kind: "create", path };
    case "S":
      return { kind: "sync", path };
    case "U":
      return { kind: "unlink", path };
    case "T":
      return { kind: "truncate", path, length: offset };
    case "W":
      return { kind: "write", path, offset, data };
    case "M":
      return { kind: "mark", text: data.toString("utf8").trimEnd() };
    default:
      throw new TypeError(`the recording has an operation ${JSON.stringify(code)}`);
  }
}
