import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { TlsFiles } from "./config.ts";
import { configError } from "./config-values.ts";

/** A certificate chain and its key, in PEM. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads and checks both files. Errors: CONFIG_INVALID naming the file that is at fault. */
export function readTlsIdentity(files: TlsFiles): TlsIdentity {
  const cert = readPem(files.certFile, "TLS certificate");
  const key = readPem(files.keyFile, "TLS key");
  tryContext({ cert }, `TLS certificate ${files.certFile}`, "holds no certificate in PEM");
  tryContext({ key }, `TLS key ${files.keyFile}`, "holds no private key in PEM, or an encrypted one");
  tryContext({ cert, key }, `TLS key ${files.keyFile}`, `does not belong to the certificate in ${files.certFile}`);
  return { cert, key };
}

function readPem(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw configError(`${what} ${path}`, cause instanceof Error ? cause.message : "cannot be read", cause);
  }
}

function tryContext(identity: Partial<TlsIdentity>, what: string, fault: string): void {
  try {
    createSecureContext({ ...identity, minVersion: "TLSv1.2" });
  } catch (cause) {
    throw configError(what, fault, cause);
  }
}
