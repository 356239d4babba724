/** What a disk can be asked to do, and so where it can fail or crash. */
export type DiskOperation =
  'list' | 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove' | 'syncDirectory';

/** A failure to come. */
export interface DiskFault {
  readonly operation: DiskOperation;
  /** Only for files whose name begins so. */
  readonly file?: string;
  /** The system's name of the error. Default `EIO`. */
  readonly code?: string;
  /** How often; default once. */
  readonly times?: number;
  /** So many of these operations succeed before. */
  readonly after?: number;
}

/** The failures that a simulated disk is still to have. */
export class PlannedFaults {
  #faults: { readonly fault: DiskFault; toPass: number; remaining: number }[] = [];

  add(fault: DiskFault): void {
    this.#faults.push({ fault, toPass: fault.after ?? 0, remaining: fault.times ?? 1 });
  }

  clear(): void {
    this.#faults = [];
  }

  /** Throws if this operation is to fail. */
  check(operation: DiskOperation, name: string): void {
    const planned = this.#faults.find(
      ({ fault }) => fault.operation === operation && name.startsWith(fault.file ?? ''),
    );
    if (planned === undefined || planned.toPass-- > 0) return;
    if (--planned.remaining <= 0) this.#faults = this.#faults.filter((other) => other !== planned);
    throw diskError(planned.fault.code ?? 'EIO', `planned failure of ${operation}`);
  }
}

/** An error as a system reports it. */
export function diskError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
