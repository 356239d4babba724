import { uuidFromBytes, type Random } from './random.js';

/** The platform's cryptographic source. */
export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }

  bytes(length: number): Uint8Array {
    return globalThis.crypto.getRandomValues(new Uint8Array(length));
  }

  uuid(): string {
    return uuidFromBytes(this.bytes(16));
  }
}
