import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A server certificate that is its own authority, as PEM. */
export interface Certificate {
  key: string;
  cert: string;
  /** What a kubeconfig's `certificate-authority-data` holds. */
  data: string;
}

/**
 * Makes a certificate for 127.0.0.1, valid for a day. Node can read X.509 but not write it, and a fresh
 * machine has no openssl: hence the few lines of DER (RFC 5280 section 4.1, ITU-T X.690).
 */
export function makeCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = Date.now();
  const name = sequence(set(sequence(COMMON_NAME, tlv(0x0c, Buffer.from("postern test")))));
  const tbs = sequence(
    tlv(0xa0, integer(2)), // version 3
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])), // serial number
    sequence(ECDSA_WITH_SHA256),
    name,
    sequence(utcTime(now - 3_600_000), utcTime(now + 86_400_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(
      0xa3,
      sequence(
        sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE))), // CA
        sequence(SUBJECT_ALT_NAME, octets(sequence(tlv(0x87, Buffer.from([127, 0, 0, 1]))))),
      ),
    ),
  );
  const signature = sign("sha256", tbs, privateKey);
  const der = sequence(
    tbs,
    sequence(ECDSA_WITH_SHA256),
    tlv(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = der.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  const cert = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert,
    data: Buffer.from(cert).toString("base64"),
  };
}

/** Tag, length, value. */
function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), value]);
}

const sequence = (...parts: Buffer[]) => tlv(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]) => tlv(0x31, Buffer.concat(parts));
const octets = (value: Buffer) => tlv(0x04, value);
const integer = (value: number) => tlv(0x02, Buffer.from([value]));
const utcTime = (ms: number) => {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
};
const TRUE = Buffer.from("0101ff", "hex");
const COMMON_NAME = Buffer.from("0603550403", "hex"); // 2.5.4.3
const ECDSA_WITH_SHA256 = Buffer.from("06082a8648ce3d040302", "hex"); // 1.2.840.10045.4.3.2
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex"); // 2.5.29.19
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex"); // 2.5.29.17
