/** The name that ZooKeeper knows a certificate by: its subject as RFC 2253 writes it, in Java's form (`X500Principal.getName`). */
import type { X509Certificate } from 'node:crypto';

const VERSION_TAG = 0xa0;

/** Types whose values Java writes as text. */
const DECODERS: Readonly<Record<number, (bytes: Buffer) => string>> = {
  0x0c: (bytes) => bytes.toString('utf8'),
  0x13: (bytes) => bytes.toString('latin1'),
  0x14: (bytes) => bytes.toString('latin1'),
  0x16: (bytes) => bytes.toString('latin1'),
  0x1b: (bytes) => bytes.toString('latin1'),
  0x1c: (bytes) => decoded(bytes, 4),
  0x1e: (bytes) => decoded(bytes, 2),
};

/** The attributes that have a short name in RFC 2253; all others are written as `1.2.3=#` and the value in hexadecimal. */
const KEYWORDS: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
};

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length. */
  readonly whole: Buffer;
}

/** Such as `CN=client,O=Quorate`: most specific part first. Empty for a certificate without a subject. */
export function subjectOf(certificate: X509Certificate): string {
  const [signed] = elements(elements(certificate.raw)[0]!.content);
  const fields = elements(signed!.content);
  // Serial number, algorithm, issuer, validity, subject; before them the version, if it is not 1.
  const subject = fields[fields[0]!.tag === VERSION_TAG ? 5 : 4]!;
  return elements(subject.content).map(writtenPart).reverse().join(',');
}

/** One relative name: an attribute, or several at once. */
function writtenPart({ content }: Element): string {
  return elements(content)
    .map((attribute) => {
      const [type, value] = elements(attribute.content);
      return written(objectId(type!.content), value!);
    })
    .join('+');
}

function written(id: string, value: Element): string {
  const keyword = KEYWORDS[id];
  const decode = DECODERS[value.tag];
  if (keyword === undefined || decode === undefined)
    return `${keyword ?? id}=#${value.whole.toString('hex')}`;
  const escaped = decode(value.content)
    .replace(/[,=+<>#;"\\]/g, '\\$&')
    .replaceAll('\0', '\\00');
  return `${keyword}=${escaped.replace(/^[ \r]+|[ \r]+$/g, (blanks) => blanks.replace(/[ \r]/g, '\\$&'))}`;
}

/** The elements of DER that stand one behind the other. The bytes are those of a parsed certificate, so they are well-formed. */
function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const lengthByte = bytes[at + 1]!;
    const lengthBytes = lengthByte < 0x80 ? 0 : lengthByte & 0x7f;
    const length = lengthBytes === 0 ? lengthByte : bytes.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    const end = start + length;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

function objectId(bytes: Buffer): string {
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of bytes) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [first = 0n, ...rest] = numbers;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

/** UTF-16 or UTF-32, both big-endian. */
function decoded(bytes: Buffer, width: 2 | 4): string {
  let text = '';
  for (let at = 0; at + width <= bytes.length; at += width)
    text +=
      width === 2
        ? String.fromCharCode(bytes.readUInt16BE(at))
        : String.fromCodePoint(Math.min(bytes.readUInt32BE(at), 0x10ffff));
  return text;
}
