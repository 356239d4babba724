/** Lets any number of reads run side by side, and now and then one act alone, with no read under way or beginning. */
export class ReadGate {
  #reads = 0;
  #alone: Promise<void> | null = null;
  #wakeLast: (() => void) | null = null;

  async read<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone !== null) await this.#alone;
    this.#reads++;
    try {
      return await work();
    } finally {
      this.#reads--;
      if (this.#reads === 0) this.#wakeLast?.();
    }
  }

  /** One call at a time. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    let open: () => void = () => undefined;
    this.#alone = new Promise((resolve) => (open = resolve));
    try {
      if (this.#reads > 0) await new Promise<void>((resolve) => (this.#wakeLast = resolve));
      return await work();
    } finally {
      this.#wakeLast = null;
      this.#alone = null;
      open();
    }
  }
}
