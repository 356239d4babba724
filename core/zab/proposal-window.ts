import type { PeerLimits } from './peer-config.js';

/** What the leader has proposed and not applied yet, bounded: beyond it nothing is admitted, and nothing is dropped. */
export class ProposalWindow {
  readonly #limits: PeerLimits;
  #inFlight: { readonly zxid: bigint; readonly bytes: number }[] = [];
  #head = 0;
  #bytes = 0;

  constructor(limits: PeerLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    const { uncommittedEntries, uncommittedBytes } = this.#limits;
    return this.#inFlight.length - this.#head >= uncommittedEntries || this.#bytes >= uncommittedBytes;
  }

  add(zxid: bigint, bytes: number): void {
    this.#inFlight.push({ zxid, bytes });
    this.#bytes += bytes;
  }

  applied(upTo: bigint): void {
    for (let oldest = this.#inFlight[this.#head]; oldest !== undefined && oldest.zxid <= upTo;) {
      this.#bytes -= oldest.bytes;
      this.#head += 1;
      oldest = this.#inFlight[this.#head];
    }
    if (this.#head < 1024 && this.#head < this.#inFlight.length) return;
    this.#inFlight = this.#inFlight.slice(this.#head);
    this.#head = 0;
  }
}
