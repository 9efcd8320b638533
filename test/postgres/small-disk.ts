import { execFile } from "node:child_process";
import { mkdtemp, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A file system of its own that is soon full. */
export interface SmallDisk {
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * A disk of so many MiB, owned by whoever owns `like`. Rejects where that is not allowed: it takes root on Linux, and
 * containers often forbid it even then.
 */
export async function smallDisk(mebibytes: number, like: string): Promise<SmallDisk> {
  const { uid, gid } = await stat(like);
  const folder = await mkdtemp(join(tmpdir(), "tape-small-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=0700,uid=${uid},gid=${gid}`, "tmpfs", folder]);
  } catch (error) {
    await rmdir(folder);
    throw error;
  }
  return {
    folder,
    remove: async () => {
      // Lazily: the server may still be closing files.
      await run("umount", ["-l", folder]);
      await rmdir(folder);
    },
  };
}
