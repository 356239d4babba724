import type { Storage } from '../../storage/index.js';

/** How often the place of the data directory is looked at; each new log file and each snapshot does so as well. */
const CHECK_EVERY_MS = 1_000;

/** Stops the member when its data directory is removed or replaced: what it writes then is lost for any later start. */
export class DirectoryWatch {
  readonly #storage: Storage;
  readonly #failed: (error: unknown) => void;
  #nextAt = 0;
  #isChecking = false;

  constructor({ storage, failed }: { readonly storage: Storage; readonly failed: (error: unknown) => void }) {
    this.#storage = storage;
    this.#failed = failed;
  }

  /** To be called now and then. */
  tick(now: number): void {
    if (this.#isChecking || now < this.#nextAt) return;
    this.#nextAt = now + CHECK_EVERY_MS;
    void this.#check();
  }

  async #check(): Promise<void> {
    this.#isChecking = true;
    try {
      await this.#storage.verifyPlace();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isChecking = false;
    }
  }
}
