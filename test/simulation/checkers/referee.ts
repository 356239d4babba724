/** A promise was broken. */
export class Violation extends Error {}

/** `message` is asked only if the promise is broken. */
export function check(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new Violation(message());
}

/**
 * Collects what the checkers find. They look on from inside of members, clients and disks, which must not be the ones
 * to suffer from a finding: so it is kept here, and the run ends at its next step.
 */
export class Referee {
  #finding: Error | null = null;

  /** What was found first. */
  get finding(): Error | null {
    return this.#finding;
  }

  /** Runs a checker. An error of its own is a finding too. */
  watch(look: () => void): void {
    if (this.#finding !== null) return;
    try {
      look();
    } catch (error) {
      this.report(error);
    }
  }

  report(error: unknown): void {
    this.#finding ??= error instanceof Error ? error : new Error(String(error));
  }
}

export function hex(zxid: bigint): string {
  return `0x${BigInt.asUintN(64, zxid).toString(16)}`;
}
