import { SnapshotReader, type StateMachine } from '../../data/index.js';
import type { PeerMessage } from '../../zab/index.js';

interface Arrival {
  readonly zxid: bigint;
  readonly reader: SnapshotReader;
  /** Once all of it has come, and adds up to its digest. */
  machine: StateMachine | null;
  isLinkGone: boolean;
}

/**
 * Reads the snapshots of a leader as their messages arrive, before anything acts upon those: a snapshot that is damaged never
 * replaces what is here. One for each link.
 */
export class SnapshotArrivals {
  readonly #byLink = new Map<number, Arrival>();

  get count(): number {
    return this.#byLink.size;
  }

  /** Returns what is wrong with the snapshot that the message belongs to; null if nothing is, or it belongs to none. */
  heard(link: number, message: PeerMessage): string | null {
    if (message.type === 'snap') {
      this.#byLink.set(link, {
        zxid: message.zxid,
        reader: new SnapshotReader(),
        machine: null,
        isLinkGone: false,
      });
      return null;
    }
    const arrival = message.type === 'snapshotChunk' ? this.#byLink.get(link) : undefined;
    if (message.type !== 'snapshotChunk' || arrival === undefined) return null;
    try {
      arrival.reader.push(message.bytes);
      if (message.isLast) arrival.machine = arrival.reader.finish();
    } catch (error) {
      this.#byLink.delete(link);
      return error instanceof Error ? error.message : String(error);
    }
    if (arrival.machine === null || arrival.machine.lastZxid === arrival.zxid) return null;
    this.#byLink.delete(link);
    return `it holds the state at 0x${arrival.machine.lastZxid.toString(16)}`;
  }

  /** The state at `zxid` that has arrived; its arrival is forgotten. */
  take(zxid: bigint): StateMachine {
    for (const [link, { machine }] of this.#byLink) {
      if (machine?.lastZxid !== zxid) continue;
      this.#byLink.delete(link);
      return machine;
    }
    throw new Error(`no snapshot at 0x${zxid.toString(16)} has arrived`);
  }

  /**
   * The link is gone. What has not come as a whole is forgotten; the rest when `settle` is called, since the member may be
   * about to take it: it has acted upon the last message, and has yet to carry out what follows from it.
   */
  forget(link: number): void {
    const arrival = this.#byLink.get(link);
    if (arrival === undefined) return;
    if (arrival.machine === null) this.#byLink.delete(link);
    else arrival.isLinkGone = true;
  }

  /** Everything that follows from the messages so far has been carried out. */
  settle(): void {
    for (const [link, { isLinkGone }] of this.#byLink) if (isLinkGone) this.#byLink.delete(link);
  }
}
