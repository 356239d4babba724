/** Counts the bytes that all connections together have written and their clients have not taken in. */
export class WaitingOutput {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** So much more, or less, waits. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
