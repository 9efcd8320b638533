import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type ConnectionOptions } from "node:tls";
import { TapeError } from "../../errors.ts";
import type { PostgresTarget } from "./postgres-url.ts";

type Tls = Pick<PostgresTarget, "sslmode" | "sslrootcert" | "sslcert" | "sslkey">;

/**
 * What node-postgres gets as `ssl`. `prefer` is TLS that verifies nothing here; doing without it is the caller's part.
 * Not frozen: node-postgres hides the key in it from being printed.
 * Errors: STORE_NOT_USABLE, which names the file.
 */
export async function tlsOptions({ sslmode, ...files }: Tls): Promise<false | ConnectionOptions> {
  if (sslmode === "disable") return false;
  const ca = files.sslrootcert === "system" ? undefined : await certificates("sslrootcert", files.sslrootcert);
  const cert = await certificates("sslcert", files.sslcert);
  const key = await contentOf("sslkey", files.sslkey);
  if (key !== undefined) {
    try {
      createSecureContext({ cert, key });
    } catch {
      throw unusable("sslkey", files.sslkey, "it is not the key of sslcert, or protected by a password");
    }
  }
  return {
    // As libpq: `require` verifies the chain when it is told an authority.
    rejectUnauthorized: sslmode.startsWith("verify") || ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // Else Node compares the certificate with the host, name or address.
    ...(sslmode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function certificates(parameter: string, path: string | undefined): Promise<string | undefined> {
  const text = await contentOf(parameter, path);
  if (text === undefined) return undefined;
  try {
    // OpenSSL takes a file without any certificate for an empty list.
    void new X509Certificate(text);
  } catch {
    throw unusable(parameter, path, "it holds no certificate in PEM form");
  }
  return text;
}

async function contentOf(parameter: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    throw unusable(parameter, path, `it cannot be read (${code})`);
  }
}

const unusable = (parameter: string, path: string | undefined, why: string): TapeError =>
  new TapeError(
    "STORE_NOT_USABLE",
    `${parameter} ${JSON.stringify(path)} cannot be used: ${why}; name another file in the store URL`,
  );
