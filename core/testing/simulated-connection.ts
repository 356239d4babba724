import type { Clock } from '../runtime/index.js';
import { CloseCode, type CloseReason, type Connection, type ConnectionHandlers } from '../transport/index.js';
import { Pipe, type PipeReceiver, type Route } from './pipe.js';

const BROKEN: CloseReason = { code: CloseCode.abnormal, text: '' };

/**
 * One end of a connection between two hosts.
 * - open;
 * - ending: this end has closed, or learnt of the end; its owner is about to be told;
 * - over: whatever still arrives is answered with a reset, which is how the other end of a half-open connection learns.
 */
export class SimulatedConnection implements Connection, PipeReceiver {
  readonly remoteAddress: string;
  readonly #clock: Clock;
  readonly #route: Route;
  readonly #over: () => void;
  #out!: Pipe;
  #in!: Pipe;
  #handlers: ConnectionHandlers | null = null;
  #state: 'open' | 'ending' | 'over' = 'open';
  #isPaused = false;

  private constructor(parts: {
    clock: Clock;
    remoteAddress: string;
    /** Towards the other end. */
    route: Route;
    over: () => void;
  }) {
    this.remoteAddress = parts.remoteAddress;
    this.#clock = parts.clock;
    this.#route = parts.route;
    this.#over = parts.over;
  }

  /** Both ends; `over` is called for each when it is over. */
  static pair(parts: {
    readonly clock: Clock;
    readonly near: { readonly address: string; readonly route: Route };
    readonly far: { readonly address: string; readonly route: Route };
    readonly over: () => void;
  }): { readonly near: SimulatedConnection; readonly far: SimulatedConnection } {
    const { clock } = parts;
    const over = (): void => {
      parts.over();
      if (near.#state !== 'over' || far.#state !== 'over') return;
      near.#out.drop();
      far.#out.drop();
    };
    const near = new SimulatedConnection({
      clock,
      remoteAddress: parts.far.address,
      route: parts.near.route,
      over,
    });
    const far = new SimulatedConnection({
      clock,
      remoteAddress: parts.near.address,
      route: parts.far.route,
      over,
    });
    near.#out = far.#in = new Pipe({
      clock,
      route: near.#route,
      receiver: far,
      drained: () => near.#drained(),
    });
    far.#out = near.#in = new Pipe({
      clock,
      route: far.#route,
      receiver: near,
      drained: () => far.#drained(),
    });
    return { near, far };
  }

  get bufferedBytes(): number {
    return this.#state === 'open' ? this.#out.bufferedBytes : 0;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** An end that is over takes everything, to answer that nobody is there. */
  get isReading(): boolean {
    return this.#state === 'over' || (this.#state === 'open' && this.#handlers !== null && !this.#isPaused);
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#in.schedule();
  }

  send(message: Uint8Array): void {
    if (this.#state === 'open') this.#out.send(message);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#in.schedule();
  }

  close(reason: CloseReason = { code: CloseCode.normal, text: '' }): void {
    if (this.#state !== 'open') return;
    this.#out.end(reason);
    this.#end(reason);
  }

  terminate(): void {
    if (this.#state !== 'open') return;
    this.#out.breakOff(BROKEN, this.#isResetTold());
    this.#end(BROKEN);
  }

  /** The host has lost its power: nobody is told anything. */
  vanish(): void {
    this.#out.breakOff(BROKEN, false);
    this.#handlers = null;
    this.#finish();
  }

  /** The line resets: of what is under way to this end the front arrives, then the news. */
  reset(): void {
    this.#in.breakOff(BROKEN, true);
  }

  /** This end is told that the connection is broken; the other is not. */
  forsake(): void {
    if (this.#state !== 'open') return;
    this.#out.breakOff(BROKEN, false);
    this.#end(BROKEN);
  }

  /** The line between the hosts is whole again, in the direction to this end. */
  unblocked(): void {
    this.#in.unblocked();
  }

  /** The line is as it was at the beginning, in the direction to this end. */
  mended(): void {
    this.#in.mended();
  }

  arrived(bytes: Uint8Array): void {
    if (this.#state === 'open') this.#handlers!.message(bytes);
    else this.#out.end(BROKEN);
  }

  ended(reason: CloseReason): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#finish(reason);
  }

  /** A reset is sent once: it can be lost. */
  #isResetTold(): boolean {
    return !this.#route.isBlocked || this.#route.chance() < 0.5;
  }

  #drained(): void {
    if (this.#state === 'open') this.#handlers?.drained?.();
  }

  /** Never within the call that ended it. */
  #end(reason: CloseReason): void {
    this.#state = 'ending';
    this.#clock.soon(() => this.#finish(reason));
  }

  #finish(reason?: CloseReason): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#in.schedule();
    this.#over();
    if (reason !== undefined) this.#handlers?.closed(reason);
  }
}
