/** Chance, as a port: a seeded source in tests, the platform's in production. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` random bytes; unpredictable in the system version, reproducible in the seeded one. */
  bytes(length: number): Uint8Array;
  /** A version 4 UUID in its usual 36 characters. */
  uuid(): string;
}

/** Formats 16 random bytes as a version 4 UUID (RFC 9562). */
export function uuidFromBytes(bytes: Uint8Array): string {
  const copy = Uint8Array.from(bytes.subarray(0, 16));
  copy[6] = (copy[6]! & 0x0f) | 0x40;
  copy[8] = (copy[8]! & 0x3f) | 0x80;
  const hex = Array.from(copy, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
