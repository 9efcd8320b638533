import type { Answer } from "./answer.ts";
import { answerOf } from "./answer.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Look } from "./look.ts";

/** A request as `google-auth-library` takes it. */
interface ApiRequest {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly data?: object;
  readonly responseType: "text";
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly retryConfig: Readonly<Record<string, unknown>>;
}

/** The part of a client of `google-auth-library` that is used here: it adds the token. */
export interface Requester {
  quotaProjectId?: string | undefined;
  getAccessToken(): Promise<{ readonly token?: string | null | undefined }>;
  request(options: ApiRequest): Promise<{ readonly status: number; readonly data: unknown }>;
}

/** What asking needs. */
export interface GoogleApiOptions {
  readonly client: Requester;
  readonly endpoints: Endpoints;
  /** For one request. */
  readonly timeoutMs: number;
  /** Before a GET is repeated. */
  readonly longestPauseMs: number;
  readonly signal: AbortSignal;
}

/** Requests at the same time: a check-up is no load. */
const mostAtOnce = 4;

/** Asks Google's REST APIs, the same question once, and never more than a few at a time. Never rejects. */
export class GoogleApi {
  readonly #options: GoogleApiOptions;
  readonly #answers = new Map<string, Promise<Answer>>();
  readonly #waiting: (() => void)[] = [];
  #free = mostAtOnce;

  constructor(options: GoogleApiOptions) {
    this.#options = options;
  }

  ask(look: Look): Promise<Answer> {
    const key = JSON.stringify([look.api, look.path, look.body]);
    const known = this.#answers.get(key) ?? this.#inTurn(look);
    this.#answers.set(key, known);
    return known;
  }

  async #inTurn(look: Look): Promise<Answer> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      return await this.#request(look);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  async #request({ api, path, body }: Look): Promise<Answer> {
    const { client, endpoints, timeoutMs, longestPauseMs, signal } = this.#options;
    try {
      const { status, data } = await client.request({
        url: `${endpoints[api]}${path}`,
        method: body === undefined ? "GET" : "POST",
        ...(body === undefined ? {} : { data: body }),
        // The library takes what is no JSON for text, and would hand either on.
        responseType: "text",
        timeout: timeoutMs,
        signal,
        // As the library does it: a GET only, after 429 and 5xx, with growing pauses.
        retryConfig: { retry: 2, noResponseRetries: 1, maxRetryDelay: longestPauseMs },
      });
      return answerOf(status, String(data));
    } catch (error) {
      return answerOfError(error, timeoutMs);
    }
  }
}

/** The library's errors hold the request with its token: of them, only status and text of the answer are looked at. */
function answerOfError(error: unknown, timeoutMs: number): Answer {
  const response: unknown = fieldOf(error, "response");
  const status: unknown = fieldOf(response, "status");
  const data: unknown = fieldOf(response, "data");
  if (typeof status === "number")
    return answerOf(status, typeof data === "string" ? data : (JSON.stringify(data) ?? ""));
  const code = [fieldOf(error, "code"), fieldOf(fieldOf(error, "cause"), "name")].join(" ").trim();
  if (/timeout|abort/i.test(code)) return { kind: "unreachable", why: `no answer within ${timeoutMs} ms` };
  const [reason] = /^E[A-Z_]+\b/.exec(code) ?? [];
  return { kind: "unreachable", why: `it cannot be reached${reason === undefined ? "" : ` (${reason})`}` };
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
