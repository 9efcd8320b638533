import { TapeError } from "../../../src/errors.ts";
import type { GetValueResponse } from "../../../src/model/value.ts";
import type { CallSpec } from "../world/network.ts";
import type { Life } from "./actor.ts";
import type { Stage } from "./stage.ts";

/** Where values are written. */
export const writtenNamespace = "config";
/** Which values are written. */
export const writtenKeys: readonly string[] = ["a", "b"];
const namespace = writtenNamespace;

/** One round of somebody who reads and writes values: a counter by `if_version`, other things without. */
export async function writerRound(life: Life, stage: Stage): Promise<void> {
  const { random } = life.world;
  const key = random.pick(writtenKeys);
  const way = random.pick(["count", "count", "write", "delete"] as const);
  if (way === "count") {
    await count(life, stage, key);
    return;
  }
  const requestId = life.requestId();
  if (way === "write") await life.call(writeValue(life, stage, key, -1, requestId));
  else {
    await life.call({
      method: "DeleteValue",
      about: key,
      options: { requestId },
      send: (tape, options) => tape.deleteValue({ namespace, key }, options),
    });
  }
}

async function count(life: Life, stage: Stage, key: string): Promise<void> {
  const { found, value } = await life.call(readValue(stage, key));
  try {
    await life.call(writeValue(life, stage, key, found ? (value?.version ?? 0) : 0, life.requestId()));
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "VERSION_MISMATCH") throw error;
  }
}

/** GetValue: it gives what there was when it came, or something later (R6). */
export const readValue = (stage: Stage, key: string): CallSpec<GetValueResponse> => ({
  method: "GetValue",
  about: key,
  send: (tape, options) => tape.getValue({ namespace, key }, options),
  check: () => {
    const before = stage.promises.value(namespace, key).versions.size;
    return ({ value: read }) => {
      stage.promises.must(
        read === undefined || read.version >= before,
        "read-sees-acknowledged",
        () => `${key} was at version ${before} when the call came, the answer has ${read?.version ?? 0}`,
      );
    };
  },
});

/** WriteValue, with a text of which there is no other. */
export function writeValue(
  life: Life,
  stage: Stage,
  key: string,
  ifVersion: number,
  requestId: string,
): CallSpec<{ readonly version: number }> {
  const valueJson = `"${requestId} of ${life.name}"`;
  return {
    method: "WriteValue",
    about: `${key} ${valueJson} if ${ifVersion}`,
    options: { requestId },
    ifVersion,
    send: (tape, options) => tape.writeValue({ namespace, key, valueJson, ifVersion, writer: life.name }, options),
    check: () => (answer) => {
      const { versions } = stage.promises.value(namespace, key);
      const mine = [...versions].find(([, json]) => json === valueJson)?.[0];
      stage.promises.durable(mine !== undefined, `${valueJson} in ${key}`);
      // A repeat answers with the value as it is now, which may be somebody else's.
      stage.promises.must(
        mine === undefined || answer.version >= mine,
        "version-never-reused",
        () => `${valueJson} in ${key} was answered with version ${answer.version}, it has ${mine ?? 0}`,
      );
    },
  };
}
