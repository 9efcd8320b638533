import { once } from "node:events";
import { connect, createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Line, openLine } from "./line.ts";

const ending: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

async function openServer(handled: string[]): Promise<number> {
  const server: Http2Server = createServer((request, response) => {
    handled.push(request.url);
    response.end(`answer to ${request.url}`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ending.push(() => new Promise((resolve) => server.close(resolve)));
  const address: AddressInfo | string | null = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function newLine(): Promise<Line> {
  const line = await openLine();
  ending.push(() => line.close());
  return line;
}

/** One call on a connection of its own; the text is empty when no answer came. */
async function call(line: Line, path: string): Promise<string> {
  const session = connect(`http://127.0.0.1:${line.port}`);
  session.on("error", () => undefined);
  try {
    let text = "";
    for await (const chunk of session.request({ ":path": path })) text += String(chunk);
    return text;
  } catch {
    return "";
  } finally {
    session.destroy();
  }
}

test("a line that leads nowhere hangs up", async () => {
  expect(await call(await newLine(), "/a")).toBe("");
});

test("a plugged line passes calls and answers", async () => {
  const line = await newLine();
  line.plug(await openServer([]));
  expect(await call(line, "/a")).toBe("answer to /a");
});

test("a lost answer belongs to a call that was carried out; plugged in again the line is whole", async () => {
  const handled: string[] = [];
  const port = await openServer(handled);
  const line = await newLine();
  line.plug(port);
  const lost = line.loseNextAnswer();
  expect(await call(line, "/lost")).toBe("");
  await lost;
  expect(handled).toEqual(["/lost"]);
  expect(await call(line, "/down")).toBe("");
  line.plug(port);
  expect(await call(line, "/again")).toBe("answer to /again");
  expect(handled).toEqual(["/lost", "/again"]);
});
