import type { Clock, Logger, Random } from '../runtime/index.js';
import { SeededRandom } from '../runtime/index.js';
import { Member, type EnsembleMember, type MemberProbe, type ServerOptions } from '../server/index.js';
import type { Connection } from '../transport/index.js';
import { FileStorage, MemoryDisk, type CrashLoss, type Storage } from '../storage/index.js';
import type { PeerLimits } from '../zab/index.js';
import type { SimulatedHost } from './simulated-network.js';
import { SimulatedProcess, type ProcessClockOptions } from './simulated-process.js';

/** What a member of a cluster is made of. */
export interface ClusterMemberParts {
  readonly id: number;
  readonly isObserver: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly host: SimulatedHost;
  /** Where clients reach it. */
  readonly address: string;
  /** All members, this one among them. */
  readonly members: readonly EnsembleMember[];
  readonly secret: Uint8Array;
  readonly server: Partial<ServerOptions>;
  readonly segmentBytes: number;
  readonly snapshotsKept: number;
  readonly limits: Partial<PeerLimits>;
  /** Something to look on through, for each start. */
  readonly probe?: ((member: ClusterMember) => MemberProbe) | undefined;
  /** Something to put between member and storage, for each start. */
  readonly storage?: ((storage: Storage, member: ClusterMember) => Storage) | undefined;
  /** Something to put between member and links to others. */
  readonly peerLink?: ((connection: Connection, member: ClusterMember) => Connection) | undefined;
}

/**
 * A member of a cluster, and the machine that it runs on, through all its lives.
 * - down: no process;
 * - running: a process, that may still read its disk or look for a leader;
 * - failed: the process has ended by itself; `failure` says why.
 */
export class ClusterMember {
  readonly id: number;
  readonly name: string;
  readonly isObserver: boolean;
  readonly address: string;
  readonly disk: MemoryDisk;
  readonly host: SimulatedHost;
  readonly #parts: ClusterMemberParts;
  #process: SimulatedProcess | null = null;
  #member: Member | null = null;
  #failure: Error | null = null;
  #clockOptions: ProcessClockOptions = {};
  #stopListening: (() => void)[] = [];
  #starts = 0;

  constructor(parts: ClusterMemberParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.name = parts.host.name;
    this.isObserver = parts.isObserver;
    this.address = parts.address;
    this.host = parts.host;
    this.disk = new MemoryDisk(fork(parts.random));
  }

  get state(): 'down' | 'running' | 'failed' {
    if (this.#process !== null) return 'running';
    return this.#failure === null ? 'down' : 'failed';
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Null until it has read its disk. */
  get member(): Member | null {
    return this.#member;
  }

  get process(): SimulatedProcess | null {
    return this.#process;
  }

  /** Why the last process ended by itself. */
  get failure(): Error | null {
    return this.#failure;
  }

  get isServing(): boolean {
    return this.#member?.health().isServing ?? false;
  }

  get isLeading(): boolean {
    const health = this.#member?.health();
    return health?.state === 'leading' && health.isServing;
  }

  /** Starts a process on what the disk holds; nothing happens if one runs. */
  start(): void {
    if (this.#process !== null) return;
    this.#starts += 1;
    this.#failure = null;
    this.host.restorePower();
    const process = new SimulatedProcess(this.#parts.clock, this.#clockOptions);
    this.#process = process;
    this.#run(process).catch((error: unknown) => this.#failed(process, error));
  }

  /** The process dies: with `keep` as by kill -9; else the power fails, which may take what was not synced, and nobody is told. */
  crash(loss: CrashLoss = 'random'): void {
    const process = this.#process;
    if (process === null) return;
    this.#leave();
    if (loss === 'keep') process.kill();
    else {
      process.vanish();
      this.host.losePower();
    }
    this.disk.crash(loss);
  }

  /** Stops the process in order; `failure` says what went wrong with that, if anything did. */
  async stop(): Promise<void> {
    const member = this.#member;
    const process = this.#process;
    if (member === null || process === null) return this.crash('keep');
    process.resume();
    for (const stop of this.#stopListening) stop();
    let failure: unknown = null;
    await member.close().catch((error: unknown) => (failure = error));
    if (this.#process !== process) return;
    if (failure !== null) return this.#failed(process, failure);
    this.#leave();
    process.kill();
    this.disk.crash('keep');
  }

  pause(): void {
    this.#process?.pause();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** How its clock runs from the next start on. */
  setClock(options: ProcessClockOptions): void {
    this.#clockOptions = options;
  }

  /** Its wall clock moves, in either direction. */
  jumpWall(ms: number): void {
    const { wallAheadMs = 0 } = this.#clockOptions;
    this.#clockOptions = { ...this.#clockOptions, wallAheadMs: wallAheadMs + ms };
    this.#process?.jumpWall(ms);
  }

  /** Loses all it ever knew. It must not run. */
  wipe(): void {
    if (this.#process !== null)
      throw new Error(`${this.name} runs: crash or stop it before its disk is wiped`);
    for (const name of this.disk.names()) this.disk.forget(name);
  }

  async #run(process: SimulatedProcess): Promise<void> {
    const { clock: _, host, address, members, secret, server, segmentBytes, logger } = this.#parts;
    const { snapshotsKept, limits } = this.#parts;
    const random = fork(this.#parts.random);
    const opened = await FileStorage.open({
      disk: this.disk,
      canRejoin: members.length > 1,
      random,
      logger,
      segmentBytes,
      snapshotsKept,
      owner: `member ${this.id}`,
    });
    const storage = this.#parts.storage?.(opened, this) ?? opened;
    const linked = (connection: Connection): Connection =>
      this.#parts.peerLink?.(connection, this) ?? connection;
    const dialer = process.dialer(host);
    const member = await Member.start({
      storage,
      clock: process,
      random,
      secret,
      options: { ...server, id: this.id },
      logger,
      limits,
      ensemble: {
        members,
        dialer: { dial: async (to, dialOptions) => linked(await dialer.dial(to, dialOptions)) },
      },
      probe: this.#parts.probe?.(this),
    });
    if (this.#process !== process) return;
    this.#member = member;
    member.onFailure((error) => this.#failed(process, error));
    const own = members.find(({ id }) => id === this.id)!;
    this.#stopListening = [
      host.listen(address, (connection) => member.accept(process.connect(connection))),
      host.listen(own.address, (connection) => member.acceptPeer(linked(process.connect(connection)))),
    ];
  }

  /** The process has ended by itself: its system closes what it had open. */
  #failed(process: SimulatedProcess, error: unknown): void {
    if (this.#process !== process) return;
    this.#leave();
    this.#failure = error instanceof Error ? error : new Error(String(error));
    process.kill();
    this.disk.crash('keep');
  }

  #leave(): void {
    for (const stop of this.#stopListening) stop();
    this.#stopListening = [];
    this.#process = null;
    this.#member = null;
  }
}

/** A source of its own, so that what one member draws does not change what others get. */
export function fork(random: Random): SeededRandom {
  return new SeededRandom(Math.floor(random.next() * 0x1_0000_0000));
}
