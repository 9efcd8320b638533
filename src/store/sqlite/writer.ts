import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { BatchWriter } from "./batch-writer.ts";
import { openConnection } from "./connection.ts";
import { mustBeMigrated } from "./migrate.ts";
import { unpackBatch } from "./packed-batch.ts";
import { migrations } from "./schema.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
import type { WriterReply, WriterRequest, WriterStart } from "./writer-messages.ts";

/* The writer thread of one journal file: commits there, so that an fsync never stalls the thread that serves calls. */

async function openWriter({ path, busyTimeoutMs }: WriterStart): Promise<BatchWriter> {
  try {
    const database = await openConnection({ path, readOnly: false, busyTimeoutMs });
    try {
      mustBeMigrated(database, migrations, path);
      return new BatchWriter(database, path);
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw sqliteFailure(error, `opening ${path}`, "opening");
  }
}

const textOf = (cause: unknown): string => (cause instanceof Error ? (cause.stack ?? cause.message) : "not an error");

function refusal(error: unknown): WriterReply {
  const { reason, message, cause } = sqliteFailure(error, "writing");
  return { kind: "refused", reason, message, cause: textOf(cause) };
}

async function serve(port: MessagePort, start: WriterStart): Promise<void> {
  const writer = await openWriter(start);
  port.on("message", (request: WriterRequest) => {
    try {
      if (request.kind === "close") {
        writer.close();
        port.postMessage({ kind: "closed" } satisfies WriterReply);
        port.close();
      } else {
        const { outcomes, cause } = writer.apply(unpackBatch(request.batch));
        const reply: WriterReply = {
          kind: "appended",
          outcomes,
          ...(cause === undefined ? {} : { cause: textOf(cause) }),
        };
        port.postMessage(reply, [outcomes.buffer]);
      }
    } catch (error) {
      port.postMessage(refusal(error));
    }
  });
  port.postMessage({ kind: "ready" } satisfies WriterReply);
}

if (parentPort !== null) {
  const port = parentPort;
  serve(port, workerData as WriterStart).catch((error: unknown) => {
    port.postMessage(refusal(error));
    port.close();
  });
}
