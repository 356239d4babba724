/** What all connections together may have waiting here before every one that waits stops being read. */
const CROWDED_BYTES = 64 * 1024 * 1024;

/** Counts the bytes of packets that were received over all connections and are not processed yet. */
export class ReceivedBytes {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Every connection with packets that wait has to stop being read: together they hold too much. */
  get isCrowded(): boolean {
    return this.#bytes > CROWDED_BYTES;
  }

  /** So much more, or less, waits. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
