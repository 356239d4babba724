import type { Snap } from './peer-message.js';
import type { PeerState } from './peer-state.js';

/**
 * Takes a snapshot from the leader. It is staged by the caller beside what is there; only when its last chunk has
 * come does it replace the history, in one step of the disk. If it never comes, nothing has happened (ZOOKEEPER-3642).
 */
export class SnapshotIntake {
  readonly #state: PeerState;
  readonly #snap: Snap;
  readonly #install: number;
  #chunks = 0;
  #isComplete = false;

  constructor(state: PeerState, snap: Snap) {
    this.#state = state;
    this.#snap = snap;
    this.#install = state.outputs.nextInstall();
    const { zxid, epochs } = snap;
    state.outputs.install({ type: 'begin', install: this.#install, zxid, epochs });
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  chunk(bytes: Uint8Array, isLast: boolean, leader: number): void {
    const { outputs, outbox, history, disk } = this.#state;
    const { epoch, zxid, epochs } = this.#snap;
    const install = this.#install;
    this.#chunks += 1;
    outputs.install({ type: 'chunk', install, bytes });
    outbox.send(leader, { type: 'snapshotAck', epoch, chunks: this.#chunks });
    if (!isLast) return;
    this.#isComplete = true;
    history.replaceBySnapshot(zxid, epochs);
    disk.installSnapshot({ install, zxid, epochs });
  }

  /** The leader is gone before the end. */
  abort(): void {
    if (!this.#isComplete) this.#state.outputs.install({ type: 'abort', install: this.#install });
  }
}
