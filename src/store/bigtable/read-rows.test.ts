import { describe, expect, it } from "vitest";
import type { CellChunk } from "./driver.ts";
import { rowsOf, type BigtableRow } from "./read-rows.ts";

const text = (value: string): Buffer => Buffer.from(value);

function streamOf(answers: readonly (readonly CellChunk[])[]): {
  readonly stream: Parameters<typeof rowsOf>[0];
  readonly isDestroyed: () => boolean;
} {
  let destroyed = false;
  const stream = {
    async *[Symbol.asyncIterator]() {
      for (const chunks of answers) yield { chunks };
    },
    destroy: () => {
      destroyed = true;
    },
  };
  return { stream, isDestroyed: () => destroyed };
}

async function read(...answers: readonly (readonly CellChunk[])[]): Promise<readonly BigtableRow[]> {
  const rows: BigtableRow[] = [];
  for await (const row of rowsOf(streamOf(answers).stream)) rows.push(row);
  return rows;
}

const cells = (row: BigtableRow | undefined): unknown =>
  Object.fromEntries([...(row?.cells ?? [])].map(([name, value]) => [name, value.toString()]));

describe("rows of an answer", () => {
  it("are put together from cells in one message or in many", async () => {
    const chunks: CellChunk[] = [
      { rowKey: text("a"), qualifier: { value: text("v") }, value: text("1") },
      { qualifier: { value: text("w") }, value: text("2"), commitRow: true },
      { rowKey: text("b"), qualifier: { value: text("v") }, value: text("3"), commitRow: true },
    ];
    for (const rows of [await read(chunks), await read(...chunks.map((chunk) => [chunk]))]) {
      expect(rows.map((row) => [row.key, cells(row)])).toEqual([
        ["a", { v: "1", w: "2" }],
        ["b", { v: "3" }],
      ]);
    }
  });

  it("may have cells that come in pieces", async () => {
    const rows = await read(
      [{ rowKey: text("a"), qualifier: { value: text("v") }, value: text("abc"), valueSize: 6 }],
      [{ value: text("def") }, { qualifier: { value: text("w") }, value: text("g"), commitRow: true }],
    );
    expect(cells(rows[0])).toEqual({ v: "abcdef", w: "g" });
  });

  it("that the service begins again are read again from their beginning", async () => {
    const rows = await read([
      { rowKey: text("a"), qualifier: { value: text("v") }, value: text("old"), valueSize: 9 },
      { resetRow: true },
      { rowKey: text("a"), qualifier: { value: text("w") }, value: text("new"), commitRow: true },
    ]);
    expect(rows.map((row) => [row.key, cells(row)])).toEqual([["a", { w: "new" }]]);
  });

  it("may have empty values and an empty column", async () => {
    const rows = await read([{ rowKey: text("a"), qualifier: { value: text("") }, value: text(""), commitRow: true }]);
    expect(cells(rows[0])).toEqual({ "": "" });
  });

  it("that nobody reads any more are not sent on", async () => {
    const chunk = { rowKey: text("a"), qualifier: { value: text("v") }, value: text("1"), commitRow: true };
    const { stream, isDestroyed } = streamOf([[chunk], [chunk]]);
    for await (const _ of rowsOf(stream)) break;
    expect(isDestroyed()).toBe(true);
  });
});
