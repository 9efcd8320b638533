import { TapeError } from "../../errors.ts";

/**
 * Asks an issuer for JSON and hands it to `read`, which throws a TapeError when it is not what was asked for. Every
 * failure is ISSUER_UNAVAILABLE.
 */
export type IssuerFetch = <T>(
  url: string,
  read: (json: unknown) => T,
  signal: AbortSignal,
  headers?: Headers,
) => Promise<T>;

/** How an issuer is asked. */
export interface IssuerFetchOptions {
  /** For messages. */
  readonly issuer: string;
  /** After a failure nothing is asked for so long, in milliseconds: callers are told of the last one. */
  readonly pauseMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

// Key sets have some kilobytes; an endless answer must not become memory.
const maxBytes = 1024 ** 2;

/**
 * GET without redirects, with a bound on the answer, and with a pause after a failure: however many tokens ask for keys
 * while an issuer is away, it is not flooded.
 */
export function issuerFetch({ issuer, pauseMs, now }: IssuerFetchOptions): IssuerFetch {
  let failure: { readonly error: TapeError; readonly until: number } | undefined;
  return async (url, read, signal, headers = new Headers()) => {
    if (failure !== undefined && now() < failure.until) throw failure.error;
    try {
      const response = await fetch(url, { signal, headers, redirect: "manual" });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw unusable(`HTTP status ${response.status}`);
      }
      return read(parse(await boundedText(response)));
    } catch (cause) {
      const message = `the keys of the issuer ${issuer} cannot be had from ${url} (${faultOf(cause)}), so its tokens cannot be verified now; try again`;
      const error = new TapeError("ISSUER_UNAVAILABLE", message, { ids: { issuer }, cause });
      failure = { error, until: now() + pauseMs };
      throw error;
    }
  };
}

/** For `read`: what an issuer gave is not what it should be. */
export function unusable(fault: string): TapeError {
  return new TapeError("ISSUER_UNAVAILABLE", fault);
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw unusable(`more than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable("not JSON");
  }
}

/** In a few words; what libraries say is kept as the cause. */
function faultOf(cause: unknown): string {
  if (cause instanceof TapeError) return cause.message;
  if (!(cause instanceof Error)) return "no answer";
  if (cause.name === "TimeoutError") return "too slow";
  const inner = cause.cause instanceof Error ? cause.cause : cause;
  return "code" in inner && typeof inner.code === "string" ? inner.code : "no connection";
}
