import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * The network between members on loopback: one listening port for each ordered pair, which passes what comes on to the
 * member meant. A cut is one of lost packets, as TCP shows it: nothing is refused and no connection ends; what is sent waits, also
 * a connection that is to be made and the end of one, and arrives when the cut is healed.
 */
export class CuttableProxy implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #lines = new Set<Line>();
  /** Directions in which nothing passes, such as `1>2`. */
  readonly #cuts = new Set<string>();

  /** A port at which member `from` finds what listens at `port`, which is member `to`. For `EnsembleProcess`. */
  readonly portFor = async (from: number, to: number, port: number): Promise<number> => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      const line = new Line(near, port, {
        isOpenThere: () => this.#isOpen(from, to),
        isOpenBack: () => this.#isOpen(to, from),
        ended: () => this.#lines.delete(line),
      });
      this.#lines.add(line);
      line.update();
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return address.port;
  };

  /** Nothing passes between the two, in either direction. */
  cut(one: number, other: number): void {
    this.cutOneWay(one, other);
    this.cutOneWay(other, one);
  }

  /** Nothing that `from` sends reaches `to`; the other direction stays. */
  cutOneWay(from: number, to: number): void {
    this.#cuts.add(`${from}>${to}`);
    this.#update();
  }

  /** Everything passes, also what was held back. */
  heal(): void {
    this.#cuts.clear();
    this.#update();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines) line.destroy();
    await Promise.all(
      this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }

  #isOpen(from: number, to: number): boolean {
    return !this.#cuts.has(`${from}>${to}`);
  }

  #update(): void {
    for (const line of this.#lines) line.update();
  }
}

interface LineOptions {
  /** From the end that dialled to the one that listens. */
  readonly isOpenThere: () => boolean;
  readonly isOpenBack: () => boolean;
  readonly ended: () => void;
}

/** One connection, in two halves. */
class Line {
  readonly #near: Socket;
  readonly #port: number;
  readonly #options: LineOptions;
  #far: Socket | null = null;

  constructor(near: Socket, port: number, options: LineOptions) {
    this.#near = near;
    this.#port = port;
    this.#options = options;
    near.on('error', () => undefined);
    near.on('close', () => this.update());
  }

  /** Looks anew at what may pass. */
  update(): void {
    const { isOpenThere, isOpenBack } = this.#options;
    // To be made, a connection needs both directions.
    if (this.#far === null && isOpenThere() && isOpenBack()) this.#dial();
    if (this.#far === null) return;
    pass(this.#near, this.#far, isOpenThere());
    pass(this.#far, this.#near, isOpenBack());
    if (this.#near.destroyed && this.#far.destroyed) this.#options.ended();
  }

  destroy(): void {
    this.#near.destroy();
    this.#far?.destroy();
    this.#options.ended();
  }

  #dial(): void {
    const far = connect({ host: '127.0.0.1', port: this.#port, allowHalfOpen: true });
    this.#far = far;
    far.pause();
    far.on('error', () => undefined);
    far.on('close', () => this.update());
    const near = this.#near;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        if (!to.write(chunk)) from.pause();
      });
      from.on('end', () => to.end());
      to.on('drain', () => this.update());
    }
  }
}

/** Lets bytes and the end of the connection through, or holds them back. */
function pass(from: Socket, to: Socket, isOpen: boolean): void {
  if (!isOpen) from.pause();
  else if (from.destroyed) to.destroy();
  else if (!to.writableNeedDrain) from.resume();
}
