import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * One TCP port in front of each server, at which clients connect, so that their connections can be broken while the
 * servers live. A gate whose server is dead ends each connection at once.
 */
export class Gates implements AsyncDisposable {
  readonly #gates: readonly Server[];
  readonly #lines: Set<Socket>;
  #isBlocked = false;

  private constructor(addresses: readonly string[]) {
    this.#lines = new Set();
    this.#gates = addresses.map((address) =>
      createServer({ allowHalfOpen: true }, (near) => this.#open(near, address)),
    );
  }

  /** One gate for each `host:port`. */
  static async open(addresses: readonly string[]): Promise<Gates> {
    const gates = new Gates(addresses);
    await Promise.all(
      gates.#gates.map(
        (gate) =>
          new Promise<void>((resolve, reject) => {
            gate.once('error', reject);
            gate.listen({ host: '127.0.0.1', port: 0 }, resolve);
          }),
      ),
    );
    return gates;
  }

  /** For clients: `host:port,host:port`. */
  get connect(): string {
    return this.#gates.map((gate) => `127.0.0.1:${(gate.address() as AddressInfo).port}`).join(',');
  }

  /** Breaks every connection; new ones may be made. */
  cut(): void {
    for (const line of this.#lines) line.destroy();
  }

  /** Breaks every connection, and each new one at once. */
  block(): void {
    this.#isBlocked = true;
    this.cut();
  }

  unblock(): void {
    this.#isBlocked = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.block();
    await Promise.all(this.#gates.map((gate) => new Promise<void>((resolve) => gate.close(() => resolve()))));
  }

  #open(near: Socket, address: string): void {
    if (this.#isBlocked) {
      near.destroy();
      return;
    }
    const [host, port] = address.split(':');
    const far = connect({ host: host!, port: Number(port), allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#lines.add(from);
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#lines.delete(from);
        // What has been read already still goes out.
        to.destroySoon();
      });
      from.pipe(to);
    }
  }
}
