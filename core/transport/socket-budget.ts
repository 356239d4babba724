/** What a budget has to know of a socket. */
interface BudgetedSocket {
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

export interface SocketBudgetOptions {
  /** Sockets of any kind at once. */
  readonly total: number;
  /** Sockets at once that have not made a request yet; see `AdmittedSocket.proved`. */
  readonly unproven: number;
  /** Sockets of any kind of one remote address at once. Default: no limit of its own. */
  readonly perAddress?: number | undefined;
  /** Calls `task` when what has arrived on sockets that are open now was read once. Default: in the turn after the next one. */
  readonly onceRead?: ((task: () => void) => void) | undefined;
}

export interface AdmittedSocket {
  /** The sender has made its first whole request: the socket counts as a client's or a member's from here on. Idempotent. */
  proved(): void;
}

/**
 * Shares the sockets that a process may have open among everybody who connects, over all of its listeners. A socket that says
 * nothing costs a descriptor and could keep probes, clients and other members out. So sockets have a small allowance until they
 * have made a request: beyond it the oldest silent sockets of the address that has most of them are closed. Many clients may connect in one
 * turn, as a fleet does after a restart; so this is done only when every socket had its chance to be read.
 */
export class SocketBudget {
  readonly #options: SocketBudgetOptions;
  readonly #perAddress = new Map<string, number>();
  /** Silent sockets by address, each set from the oldest to the newest. */
  readonly #unproven = new Map<string, Set<BudgetedSocket>>();
  #size = 0;
  #unprovenSize = 0;
  #isTrimDue = false;

  constructor(options: SocketBudgetOptions) {
    this.#options = options;
  }

  /** Sockets that are open. */
  get size(): number {
    return this.#size;
  }

  /** Those among them that have not made a request. */
  get unprovenSize(): number {
    return this.#unprovenSize;
  }

  /** Takes account of a new socket until it closes. Null if there is no room: the socket has been destroyed. */
  admit(socket: BudgetedSocket, address: string): AdmittedSocket | null {
    const { total, unproven, perAddress = Infinity } = this.#options;
    const isAddressFull = (this.#perAddress.get(address) ?? 0) >= perAddress;
    if (isAddressFull || (this.#size >= total && !this.#evict())) {
      socket.destroy();
      return null;
    }
    this.#count(address, 1);
    const silent = this.#unproven.get(address) ?? new Set();
    this.#unproven.set(address, silent.add(socket));
    this.#unprovenSize += 1;
    if (this.#unprovenSize > unproven) this.#trimLater();
    let isOpen = true;
    socket.once('close', () => {
      if (!isOpen) return;
      isOpen = false;
      this.#forget(socket, address);
      this.#count(address, -1);
    });
    return { proved: () => this.#forget(socket, address) };
  }

  #trimLater(): void {
    if (this.#isTrimDue) return;
    this.#isTrimDue = true;
    const { unproven, onceRead = inTwoTurns } = this.#options;
    onceRead(() => {
      this.#isTrimDue = false;
      while (this.#unprovenSize > unproven && this.#evict());
    });
  }

  /** Destroys one silent socket; false if there is none. Its place is free at once, though the system may take a moment. */
  #evict(): boolean {
    let heaviest: { readonly address: string; readonly silent: Set<BudgetedSocket> } | null = null;
    for (const [address, silent] of this.#unproven)
      if (heaviest === null || silent.size > heaviest.silent.size) heaviest = { address, silent };
    if (heaviest === null) return false;
    const [oldest] = heaviest.silent;
    this.#forget(oldest!, heaviest.address);
    oldest!.destroy();
    return true;
  }

  #forget(socket: BudgetedSocket, address: string): void {
    const silent = this.#unproven.get(address);
    if (silent?.delete(socket) !== true) return;
    this.#unprovenSize -= 1;
    if (silent.size === 0) this.#unproven.delete(address);
  }

  #count(address: string, change: 1 | -1): void {
    this.#size += change;
    const count = (this.#perAddress.get(address) ?? 0) + change;
    if (count > 0) this.#perAddress.set(address, count);
    else this.#perAddress.delete(address);
  }
}

/** The loop reads sockets between two immediates; a socket that was accepted in this turn is read in the next one at the earliest. */
function inTwoTurns(task: () => void): void {
  setImmediate(() => setImmediate(task));
}
