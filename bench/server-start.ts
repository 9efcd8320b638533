import type { ChildProcess } from "node:child_process";
import { TapeError } from "../src/errors.ts";
import { maskUrl } from "../src/store/open-store.ts";

/** A server that says nothing for so long, in milliseconds, will not: Google's libraries take seconds on a busy machine. */
const startPatienceMs = 60_000;
/** Of what a server wrote before it ended: what is wrong stands at either end. */
const shownCharacters = 1500;

/** What is waited for. */
export interface ServerStart<T> {
  /** In the error: which server. */
  readonly what: string;
  readonly child: ChildProcess;
  /** May hold a password: never to be printed. */
  readonly storeUrl: string;
  /** Resolves when it takes calls. */
  readonly ready: Promise<T>;
  /** What it has written. */
  readonly written: () => string;
  readonly patienceMs?: number | undefined;
}

/**
 * Waits until a server takes calls. Errors: SERVER_UNAVAILABLE, with which server it is and what it wrote, when it has
 * ended, cannot be run, or does not take calls within its time; then it is killed.
 */
export async function started<T>(start: ServerStart<T>): Promise<T> {
  const { child, ready, patienceMs = startPatienceMs } = start;
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    const fail = (how: string): void => reject(notStarted(start, how));
    child.once("error", ({ message }) => fail(`it cannot be run: ${message}`));
    child.once("close", (code, signal) => fail(`it ended with ${signal ?? `exit code ${code}`}`));
    timer = setTimeout(() => {
      fail(`it took no calls within ${patienceMs} ms`);
      child.kill("SIGKILL");
    }, patienceMs);
  });
  // Of a server that has started, its later end is nobody's concern here.
  failed.catch(() => undefined);
  try {
    return await Promise.race([ready, failed]);
  } finally {
    clearTimeout(timer);
  }
}

function notStarted({ what, storeUrl, written }: ServerStart<unknown>, how: string): TapeError {
  const text = withoutSecrets(written().trim(), storeUrl);
  const middle = text.length - 2 * shownCharacters;
  const shown =
    middle > 0 ? `${text.slice(0, shownCharacters)}\n[${middle} more]\n${text.slice(-shownCharacters)}` : text;
  const wrote = shown === "" ? "it wrote nothing" : `it wrote:\n${shown}`;
  return new TapeError("SERVER_UNAVAILABLE", `${what} did not start: ${how}; ${wrote}`);
}

/** A text without the password of the store, and with its URL masked. */
function withoutSecrets(text: string, storeUrl: string): string {
  const masked = text.replaceAll(storeUrl, maskUrl(storeUrl));
  const [, password = ""] = /^\w+:\/\/[^:@/]*:([^@/]+)@/.exec(storeUrl) ?? [];
  const named = /[?&]password=([^&]+)/.exec(storeUrl)?.[1] ?? "";
  return [password, named]
    .flatMap((secret) => (secret === "" ? [] : [secret, decoded(secret)]))
    .reduce((rest, secret) => rest.replaceAll(secret, "***"), masked);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
