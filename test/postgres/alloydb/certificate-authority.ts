import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** What a certificate says; times in milliseconds since 1970. */
interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Addresses of version 4 that the holder answers at. */
  readonly addresses?: readonly string[];
}

/** A certificate authority made for one test: Node signs, but writes no certificates. */
export interface CertificateAuthority {
  /** Its own certificate, PEM. */
  readonly certificate: string;
  /** A certificate signed by it, PEM. */
  issue(subject: Subject): string;
}

/** A new authority, good for a day around now. */
export function certificateAuthority(name: string): CertificateAuthority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const day = 86_400_000;
  const issue = (subject: Subject, extensions: readonly Buffer[]): string =>
    signed(toBeSigned(subject, name, extensions), privateKey);
  const own = { name, publicKey, notBefore: Date.now() - day, notAfter: Date.now() + day };
  return {
    certificate: issue(own, [extension(oid.basicConstraints, sequence(der(0x01, Buffer.from([0xff]))))]),
    issue: (subject) => {
      const addresses = (subject.addresses ?? []).map((one) => der(0x87, Buffer.from(one.split(".").map(Number))));
      return issue(subject, addresses.length === 0 ? [] : [extension(oid.subjectAltName, sequence(...addresses))]);
    },
  };
}

const oid = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  basicConstraints: "551d13",
  subjectAltName: "551d11",
} as const;

// X.509 version 3 in DER. Source: RFC 5280, section 4.1.
function toBeSigned(subject: Subject, issuer: string, extensions: readonly Buffer[]): Buffer {
  return sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(issuer),
    sequence(time(subject.notBefore), time(subject.notAfter)),
    nameOf(subject.name),
    subject.publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
}

function signed(body: Buffer, key: KeyObject): string {
  const certificate = sequence(body, algorithm, der(0x03, Buffer.from([0]), sign("sha256", body, key)));
  const lines = certificate.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const extension = (id: string, value: Buffer): Buffer => sequence(objectId(id), der(0x04, value));
const nameOf = (text: string): Buffer =>
  sequence(der(0x31, sequence(objectId(oid.commonName), der(0x0c, Buffer.from(text)))));
const time = (at: number): Buffer => der(0x18, Buffer.from(new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
const algorithm = sequence(objectId(oid.ecdsaWithSha256));
