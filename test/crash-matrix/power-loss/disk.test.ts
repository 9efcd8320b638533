import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/testing/random.ts";
import { Disk, type Survival } from "./disk.ts";
import type { Operation } from "./recording.ts";

const path = "/folder/file";
const write = (text: string, offset = 0): Operation => ({ kind: "write", path, offset, data: Buffer.from(text) });
const created: readonly Operation[] = [
  { kind: "create", path },
  { kind: "sync", path: "/folder" },
];

function diskOf(...operations: readonly Operation[]): Disk {
  const disk = new Disk();
  for (const operation of operations) disk.apply(operation);
  return disk;
}

const content = (disk: Disk, survival: Survival, seed = 1): string | undefined =>
  disk.image(survival, seededRandom(seed)).get(path)?.toString();

describe("a disk whose power fails", () => {
  it("keeps what was synced, and nothing else need be there", () => {
    const disk = diskOf(...created, write("one"), { kind: "sync", path }, write("two"));
    expect(content(disk, "nothing")).toBe("one");
    expect(content(disk, "everything")).toBe("two");
  });

  it("may lose the name of a file until its folder was synced", () => {
    const disk = diskOf({ kind: "create", path }, write("one"), { kind: "sync", path });
    expect(content(disk, "nothing")).toBeUndefined();
    expect(content(disk, "everything")).toBe("one");
  });

  it("may bring a removed file back, with what it had, until its folder was synced", () => {
    const gone: Operation = { kind: "unlink", path };
    const disk = diskOf(...created, write("one"), { kind: "sync", path }, gone, { kind: "create", path });
    expect(content(disk, "nothing")).toBe("one");
    expect(content(disk, "everything")).toBe("");
    expect(disk.unsafe).toBe(2);
  });

  it("may cut what was last written at any sector, and nowhere else", () => {
    const disk = diskOf(...created, write("a".repeat(600)), write("b".repeat(1200), 100));
    const lengths = new Set(
      Array.from({ length: 40 }, (_, seed) => /b*$/.exec(content(disk, "torn", seed) ?? "")?.[0].length),
    );
    expect(lengths).toEqual(new Set([0, 924, 1200]));
  });

  it("may keep any sectors of any writes, the later ones too, and a size before what is in it", () => {
    const disk = diskOf(...created, write("a".repeat(1024)), write("b".repeat(512), 1024));
    const found = new Set(Array.from({ length: 60 }, (_, seed) => content(disk, "scattered", seed) ?? ""));
    expect(found.size).toBeGreaterThan(8);
    expect([...found].some((text) => text.startsWith("\0".repeat(1024)) && text.endsWith("b"))).toBe(true);
    expect([...found].some((text) => text.length === 1536 && text.endsWith("\0"))).toBe(true);
  });
});
