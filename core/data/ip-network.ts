/** Addresses of the `ip` scheme. An IPv4 address inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. */

/** Four or sixteen bytes. */
type Address = readonly number[];

interface Network {
  readonly address: Address;
  readonly bits: number;
}

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const MAPPED_BITS = MAPPED_PREFIX.length * 8;

/** True for `address` and for `address/bits` with bits in the address's range. */
export function isIpNetwork(text: string): boolean {
  return parseNetwork(text) !== null;
}

/** True if `address` lies in `network`; false if either of them cannot be read. */
export function ipNetworkContains(network: string, address: string): boolean {
  const wanted = parseNetwork(network);
  const given = parseAddress(withoutZone(address));
  if (wanted === null || given === null) return false;
  const { address: candidate } = unmapped({ address: given, bits: given.length * 8 });
  return candidate.length === wanted.address.length && samePrefix(wanted, candidate);
}

function parseNetwork(text: string): Network | null {
  const [addressText = '', bitsText, ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (address === null || rest.length > 0) return null;
  const allBits = address.length * 8;
  if (bitsText === undefined) return unmapped({ address, bits: allBits });
  if (!/^\d{1,3}$/.test(bitsText) || Number(bitsText) > allBits) return null;
  return unmapped({ address, bits: Number(bitsText) });
}

/** A network wider than all mapped addresses stays what it is, and contains no IPv4 address. */
function unmapped(network: Network): Network {
  const { address, bits } = network;
  const isMapped = address.length === 16 && MAPPED_PREFIX.every((byte, index) => address[index] === byte);
  if (!isMapped || bits < MAPPED_BITS) return network;
  return { address: address.slice(MAPPED_PREFIX.length), bits: bits - MAPPED_BITS };
}

function samePrefix({ address, bits }: Network, candidate: Address): boolean {
  const wholeBytes = Math.floor(bits / 8);
  for (let index = 0; index < wholeBytes; index++) {
    if (address[index] !== candidate[index]) return false;
  }
  const restBits = bits % 8;
  if (restBits === 0) return true;
  const difference = address[wholeBytes]! ^ candidate[wholeBytes]!;
  return difference >> (8 - restBits) === 0;
}

function parseAddress(text: string): Address | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Address | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.some((byte) => byte > 255) ? null : bytes;
}

function parseIpv6(text: string): Address | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = '', tail] = halves;
  const before = parseGroups(head, tail === undefined);
  const after = parseGroups(tail ?? '', true);
  if (before === null || after === null) return null;
  if (tail === undefined) return before.length === 16 ? before : null;
  const missing = 16 - before.length - after.length;
  return missing < 2 ? null : [...before, ...Array<number>(missing).fill(0), ...after];
}

/** Groups of up to four hex digits; the last one of the address may be a dotted IPv4 address. */
function parseGroups(text: string, isLast: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const dotted = isLast && index === groups.length - 1 && group.includes('.') ? parseIpv4(group) : null;
    if (dotted !== null) bytes.push(...dotted);
    else if (/^[\da-f]{1,4}$/i.test(group)) bytes.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff);
    else return null;
  }
  return bytes;
}

/** A link-local peer's address comes with the interface it was seen on. */
function withoutZone(address: string): string {
  const percent = address.indexOf('%');
  return percent === -1 ? address : address.slice(0, percent);
}
