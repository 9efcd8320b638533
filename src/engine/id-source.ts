import { randomBytes } from "node:crypto";

/** Where the engine gets its randomness from, so that a simulation can replay it. */
export interface IdSource {
  /** 96 random bits, 16 characters of base64url: names one attempt to commit. */
  commitId(): string;
  /** 128 random bits, lower-case hex: ids made by the server for things the caller left unnamed, and trace ids. */
  id(): string;
  /** 64 random bits, lower-case hex. */
  spanId(): string;
}

const poolBytes = 4096;

/** Ids from the operating system's randomness, drawn in blocks: one system call for some 300 commit ids. */
export function randomIds(): IdSource {
  let pool = randomBytes(poolBytes);
  let used = 0;
  const take = (bytes: number, encoding: "base64url" | "hex"): string => {
    if (used + bytes > poolBytes) {
      pool = randomBytes(poolBytes);
      used = 0;
    }
    used += bytes;
    return pool.toString(encoding, used - bytes, used);
  };
  return {
    commitId: () => take(12, "base64url"),
    id: () => take(16, "hex"),
    spanId: () => take(8, "hex"),
  };
}
