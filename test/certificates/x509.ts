/** Writes X.509 certificates (RFC 5280) in DER, as much of them as the tests need: with nothing but Node. */
import { createPublicKey, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';

/** Most general part first, such as `[['O', 'Quorate'], ['CN', 'client']]`. */
export type DistinguishedName = readonly (readonly [attribute: 'CN' | 'O', value: string])[];

export interface CertificateRequest {
  readonly subject: DistinguishedName;
  readonly key: KeyObject;
  /** Of whoever signs; the subject and its own key if left out. */
  readonly issuer?: { readonly subject: DistinguishedName; readonly key: KeyObject } | undefined;
  readonly isAuthority?: boolean | undefined;
  /** Where a server with this certificate may be. */
  readonly at?: { readonly ipv4?: string | undefined; readonly dns: string } | undefined;
  /** When it ends, in milliseconds from now; two days if left out. It begins an hour before now, or two hours before its end. */
  readonly endsInMs?: number | undefined;
}

const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
};

const OBJECT_IDS = {
  CN: '2.5.4.3',
  O: '2.5.4.10',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
};

const HOUR_MS = 3_600_000;

/** A certificate for an EC key, as PEM. */
export function certify(request: CertificateRequest): string {
  const { subject, key, issuer, isAuthority, at, endsInMs = 48 * HOUR_MS } = request;
  const by = issuer ?? { subject, key };
  const algorithm = der('sequence', objectId('ecdsaWithSha256'));
  const now = Date.now();
  const body = der(
    'sequence',
    tagged(0, der('integer', Buffer.of(2))),
    der('integer', Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    nameOf(by.subject),
    der('sequence', time(now + Math.min(-HOUR_MS, endsInMs - 2 * HOUR_MS)), time(now + endsInMs)),
    nameOf(subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tagged(
      3,
      der(
        'sequence',
        ...(isAuthority === true ? [authority()] : [digitalSignature()]),
        ...(at ? [place(at)] : []),
      ),
    ),
  );
  const signature = der('bitString', Buffer.of(0), sign('sha256', body, by.key));
  return new X509Certificate(der('sequence', body, algorithm, signature)).toString();
}

function authority(): Buffer {
  const isCritical = der('boolean', Buffer.of(0xff));
  return extension('basicConstraints', isCritical, der('sequence', der('boolean', Buffer.of(0xff))));
}

function digitalSignature(): Buffer {
  return extension('keyUsage', der('bitString', Buffer.of(7, 0x80)));
}

function place({ ipv4, dns }: NonNullable<CertificateRequest['at']>): Buffer {
  const address = ipv4 === undefined ? [] : [element(0x87, Buffer.from(ipv4.split('.').map(Number)))];
  return extension('subjectAltName', der('sequence', ...address, element(0x82, Buffer.from(dns))));
}

/** What it says comes last, before it whether it is critical. */
function extension(id: keyof typeof OBJECT_IDS, ...parts: readonly Buffer[]): Buffer {
  return der('sequence', objectId(id), ...parts.slice(0, -1), der('octetString', parts.at(-1)!));
}

function nameOf(subject: DistinguishedName): Buffer {
  const parts = subject.map(([attribute, value]) =>
    der('set', der('sequence', objectId(attribute), der('utf8String', Buffer.from(value)))),
  );
  return der('sequence', ...parts);
}

function time(wallMs: number): Buffer {
  const digits = new Date(wallMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return digits < '2050'
    ? der('utcTime', Buffer.from(digits.slice(2)))
    : der('generalizedTime', Buffer.from(digits));
}

function objectId(id: keyof typeof OBJECT_IDS): Buffer {
  const [first = 0, second = 0, ...rest] = OBJECT_IDS[id].split('.').map(Number);
  return der('objectId', Buffer.from([40 * first + second, ...rest.flatMap(base128)]));
}

/** Seven bits in each byte; all but the last have the high bit set. */
function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function tagged(number: number, content: Buffer): Buffer {
  return element(0xa0 + number, content);
}

function der(type: keyof typeof TAGS, ...content: readonly Buffer[]): Buffer {
  return element(TAGS[type], Buffer.concat(content));
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
