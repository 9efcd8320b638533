import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** What a folder lies on. */
export interface Disk {
  /** Bytes that this user may still write. */
  readonly freeBytes: number;
  readonly kind: DiskKind;
  /** As Linux calls the file system, where that is known. */
  readonly name: string;
}

/**
 * `local`: a disk of this machine. `network`: another machine's, where locks and shared memory do not hold what SQLite
 * needs of them (https://www.sqlite.org/wal.html, https://www.sqlite.org/howtocorrupt.html, 2.1). `memory`: gone with the
 * machine. `user`: a program of this machine answers for it, and may do anything. `unknown`: no way to tell.
 */
type DiskKind = "local" | "network" | "memory" | "user" | "unknown";

/** `f_type` of Linux's statfs(2): the file systems that are not a local disk. Source: linux/magic.h and man 2 statfs. */
const magics: ReadonlyMap<number, readonly [DiskKind, string]> = new Map([
  [0x6969, ["network", "NFS"]],
  [0x517b, ["network", "SMB"]],
  [0xff534d42, ["network", "CIFS"]],
  [0xfe534d42, ["network", "SMB2"]],
  [0x5346414f, ["network", "AFS"]],
  [0x6b414653, ["network", "AFS"]],
  [0x00c36400, ["network", "Ceph"]],
  [0x0bd00bd0, ["network", "Lustre"]],
  [0x73757245, ["network", "Coda"]],
  [0x564c, ["network", "NCP"]],
  [0x01021997, ["network", "9P"]],
  [0x01021994, ["memory", "tmpfs"]],
  [0x858458f6, ["memory", "ramfs"]],
  [0x65735546, ["user", "FUSE"]],
]);

/** The disk that a file lies on, or would. Rejects with the system's error when its folder is not there. */
export async function diskOf(file: string, platform: string = process.platform): Promise<Disk> {
  const { type, bavail, bsize } = await statfs(dirname(file));
  return { freeBytes: bavail * bsize, ...kindOf(type, platform) };
}

/** @param type `f_type`, which means something on Linux only. */
export function kindOf(type: number, platform: string): Pick<Disk, "kind" | "name"> {
  if (platform !== "linux") return { kind: "unknown", name: "" };
  // Some architectures give it as a negative number of 32 bits.
  const [kind, name] = magics.get(type >>> 0) ?? (["local", ""] as const);
  return { kind, name };
}
