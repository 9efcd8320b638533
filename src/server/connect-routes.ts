import type { DescMethod, DescMethodServerStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import {
  ConnectError,
  createContextKey,
  type ConnectRouter,
  type ContextKey,
  type HandlerContext,
} from "@connectrpc/connect";
import { TapeError } from "../errors.ts";
import { fromStatus } from "../rpc/status.ts";
import { responseMetadata } from "./call-metadata.ts";
import { methodsByPath, type ServerCall } from "./server-call.ts";
import { connectErrorOf } from "./wire-error.ts";

/** Where the adapter leaves the admitted call for its route. */
export const callKey: ContextKey<ServerCall | undefined> = createContextKey<ServerCall | undefined>(undefined);

/** The RPCs of `tape.v1.Tape` and `tape.v1.Inspect` in the terms of connect. Streams end when `closing` fires, unary calls are answered. */
export function routeCalls(router: ConnectRouter, closing: AbortSignal): void {
  for (const { desc } of methodsByPath.values()) {
    if (isUnary(desc)) router.rpc(desc, answerUnary);
    else if (isServerStreaming(desc)) router.rpc(desc, answerStream, { shutdownSignal: closing });
  }
}

function isUnary(desc: DescMethod): desc is DescMethodUnary {
  return desc.methodKind === "unary";
}

function isServerStreaming(desc: DescMethod): desc is DescMethodServerStreaming {
  return desc.methodKind === "server_streaming";
}

async function answerUnary(message: Message, context: HandlerContext): Promise<Message> {
  const call = callOf(context);
  const { request, response } = call.method;
  try {
    const result = await call.unary(request.toNoun(message), { signal: context.signal });
    const reply = response.toMessage(result as never);
    setMetadata(context, result);
    call.succeed(result);
    return reply;
  } catch (error) {
    throw connectErrorOf(call.fail(ownError(error, context)));
  }
}

async function* answerStream(message: Message, context: HandlerContext): AsyncGenerator<Message, void, undefined> {
  const call = callOf(context);
  const { request, response } = call.method;
  let first = true;
  try {
    for await (const item of call.stream(request.toNoun(message), context.signal)) {
      if (first) setMetadata(context, item);
      first = false;
      yield response.toMessage(item as never);
    }
    call.succeed();
  } catch (error) {
    throw connectErrorOf(call.fail(ownError(error, context)));
  }
}

function callOf(context: HandlerContext): ServerCall {
  const call = context.values.get(callKey);
  if (call === undefined) throw new ConnectError("the call was not admitted");
  return call;
}

function setMetadata(context: HandlerContext, result: object): void {
  for (const [name, value] of Object.entries(responseMetadata(result))) context.responseHeader.set(name, value);
}

/** The error itself, or what connect has aborted the call with (a deadline, a caller that left), in our words. */
function ownError(error: unknown, { signal }: HandlerContext): unknown {
  if (!signal.aborted || signal.reason instanceof TapeError) return signal.aborted ? signal.reason : error;
  const { code, rawMessage } = ConnectError.from(signal.reason);
  return fromStatus(code, rawMessage, [], error);
}
