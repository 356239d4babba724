import type { ApplicationMessage, InstallStep, LogRead, SnapshotStep } from './ready.js';

/** What a role has for the caller besides messages, batches and commits; gathered until the next Ready takes it. */
export class Outputs {
  #received: ApplicationMessage[] = [];
  #pings: ApplicationMessage[] = [];
  #install: InstallStep[] = [];
  #reads: LogRead[] = [];
  #snapshots: SnapshotStep[] = [];
  #lastRequest = 0;
  #lastInstall = 0;

  receive(from: number, bytes: Uint8Array): void {
    this.#received.push({ from, bytes });
  }

  ping(from: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#pings.push({ from, bytes });
  }

  nextInstall(): number {
    return (this.#lastInstall += 1);
  }

  install(step: InstallStep): void {
    this.#install.push(step);
  }

  /** Returns the number under which the answer will come. */
  readLog(after: bigint, maxBytes: number): number {
    const request = (this.#lastRequest += 1);
    this.#reads.push({ request, after, maxBytes });
    return request;
  }

  openSnapshot(learner: number): number {
    const request = (this.#lastRequest += 1);
    this.#snapshots.push({ type: 'open', request, learner });
    return request;
  }

  readSnapshot(request: number): void {
    this.#snapshots.push({ type: 'next', request });
  }

  closeSnapshot(request: number): void {
    this.#snapshots.push({ type: 'close', request });
  }

  take(): {
    received: ApplicationMessage[];
    pings: ApplicationMessage[];
    install: InstallStep[];
    reads: LogRead[];
    snapshots: SnapshotStep[];
  } {
    const taken = {
      received: this.#received,
      pings: this.#pings,
      install: this.#install,
      reads: this.#reads,
      snapshots: this.#snapshots,
    };
    this.#received = [];
    this.#pings = [];
    this.#install = [];
    this.#reads = [];
    this.#snapshots = [];
    return taken;
  }
}
