import { createClient, type Client, type ClientOptions } from '../client/index.js';
import { checkOptions, SeededRandom, silentLogger, type Logger, type OptionNames } from '../runtime/index.js';
import type { EnsembleMember, MemberProbe, ServerOptions } from '../server/index.js';
import type { Storage } from '../storage/index.js';
import type { Connection } from '../transport/index.js';
import type { PeerLimits } from '../zab/index.js';
import { ClusterMember, fork } from './cluster-member.js';
import { SimulatedNetwork, type LineQuality } from './simulated-network.js';
import { SimulatedProcess, type ProcessClockOptions } from './simulated-process.js';
import type { Trace } from './trace.js';
import { VirtualClock } from './virtual-clock.js';

const SECRET_BYTES = 32;
const DEFAULT_SEGMENT_BYTES = 64 * 1024;
const DEFAULT_SNAPSHOTS_KEPT = 3;
const DEFAULT_PATIENCE_MS = 3_600_000;
const POLL_MS = 10;

export interface ClusterOptions {
  /** Everything that is left to chance follows from it. Default 1. */
  readonly seed?: number;
  /** Members that vote; default 3. They are `m1` and so on; observers come behind them. */
  readonly voters?: number;
  /** Default 0. */
  readonly observers?: number;
  /** How every member behaves. */
  readonly server?: Partial<ServerOptions>;
  /** What lines are like. Default: 1 to 2 ms. */
  readonly line?: Partial<LineQuality>;
  /** Size of a log file, so that a short test sees more than one. Default 64 KiB. */
  readonly segmentBytes?: number;
  /** Snapshots that stay on a disk, with the log from the oldest of them on. Default 3. */
  readonly snapshotsKept?: number;
  /** Bounds among the members, so that a short test reaches them. */
  readonly limits?: Partial<PeerLimits>;
  /** Gets what members and clients log, under their name. */
  readonly trace?: ((clock: VirtualClock) => Trace) | undefined;
  /** Virtual time that a scenario may take. Default an hour. */
  readonly patienceMs?: number;
  /** Default: one of its own, on which nothing waits but for promises and for itself. */
  readonly clock?: VirtualClock | undefined;
  /** Something to look on at a member through, for each of its starts. */
  readonly probe?: ((member: ClusterMember) => MemberProbe) | undefined;
  /** Something to put between a member and its storage, for each of its starts. */
  readonly storage?: ((storage: Storage, member: ClusterMember) => Storage) | undefined;
  /** Something to put between a member and each of its links to other members. */
  readonly peerLink?: ((connection: Connection, member: ClusterMember) => Connection) | undefined;
}

const CLUSTER_OPTIONS: OptionNames<ClusterOptions> = {
  seed: true,
  voters: true,
  observers: true,
  server: true,
  line: true,
  segmentBytes: true,
  snapshotsKept: true,
  limits: true,
  trace: true,
  patienceMs: true,
  clock: true,
  probe: true,
  storage: true,
  peerLink: true,
};

/** As for `createClient`, but for what the cluster provides. */
export type ClusterClientOptions = Omit<
  ClientOptions,
  'clock' | 'dialer' | 'transports' | 'random' | 'logger'
> & {
  readonly chroot?: string | undefined;
  /** Members whose addresses it knows; default all. */
  readonly members?: readonly number[] | undefined;
  readonly clock?: ProcessClockOptions | undefined;
  /** Something to put between the client and each of its connections. */
  readonly wrap?: ((connection: Connection) => Connection) | undefined;
};

/** A client, and the process and the machine that it runs on. */
export interface ClusterClient {
  readonly name: string;
  readonly client: Client;
  readonly process: SimulatedProcess;
}

/**
 * An ensemble of several members and its clients in one process, on a virtual clock, a simulated network and disks in
 * memory, all of it reproducible from a seed. Members and clients are the real ones.
 *
 * ```ts
 * await Cluster.play(async (cluster) => {
 *   const { client } = cluster.client();
 *   await client.create('/a');
 *   cluster.leader!.crash();
 *   await client.sync('/a');
 * });
 * ```
 */
export class Cluster {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly members: readonly ClusterMember[];
  readonly trace: Trace | null;
  readonly #random: SeededRandom;
  readonly #clients: ClusterClient[] = [];

  constructor(options: ClusterOptions = {}) {
    checkOptions('Cluster', options, CLUSTER_OPTIONS);
    const { voters = 3, observers = 0, server = {}, segmentBytes = DEFAULT_SEGMENT_BYTES } = options;
    const { snapshotsKept = DEFAULT_SNAPSHOTS_KEPT, limits = {} } = options;
    this.clock = options.clock ?? new VirtualClock({ promisesOnly: true });
    this.#random = new SeededRandom(options.seed ?? 1);
    this.trace = options.trace?.(this.clock) ?? null;
    this.network = new SimulatedNetwork(this.clock, {
      random: fork(this.#random),
      quality: options.line ?? {},
    });
    const secret = this.#random.bytes(SECRET_BYTES);
    const members: EnsembleMember[] = Array.from({ length: voters + observers }, (_, index) => ({
      id: index + 1,
      address: `sim://m${index + 1}:7301`,
      isObserver: index >= voters,
    }));
    this.members = members.map(
      ({ id, isObserver = false }) =>
        new ClusterMember({
          id,
          isObserver,
          clock: this.clock,
          random: fork(this.#random),
          logger: this.#logger(`m${id}`),
          host: this.network.host(`m${id}`),
          address: `sim://m${id}:7300`,
          members,
          secret,
          server,
          segmentBytes,
          snapshotsKept,
          limits,
          probe: options.probe,
          storage: options.storage,
          peerLink: options.peerLink,
        }),
    );
  }

  /** Runs a scenario in a fresh cluster that serves, moving time whenever everything stands still, and stops all of it afterwards. */
  static async play(
    scenario: (cluster: Cluster) => Promise<void>,
    options: ClusterOptions = {},
  ): Promise<void> {
    const cluster = new Cluster(options);
    const run = async (): Promise<void> => {
      cluster.start();
      try {
        await cluster.until(() => cluster.members.every(({ isServing }) => isServing));
        await scenario(cluster);
      } finally {
        await cluster.close();
      }
    };
    await cluster.clock.waitFor(run(), options.patienceMs ?? DEFAULT_PATIENCE_MS);
  }

  /** Starts every member that does not run. */
  start(): void {
    for (const member of this.members) member.start();
  }

  /** The member with this number. */
  member(id: number): ClusterMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`there is no member ${id}, only 1 to ${this.members.length}`);
    return member;
  }

  /** Who leads and serves; of several that believe so, the one of the highest epoch. */
  get leader(): ClusterMember | undefined {
    const epochOf = ({ member }: ClusterMember): number => member?.health().epoch ?? 0;
    return this.members.filter(({ isLeading }) => isLeading).sort((a, b) => epochOf(b) - epochOf(a))[0];
  }

  /** A client on a machine of its own; it connects by itself. */
  client(options: ClusterClientOptions = {}): ClusterClient {
    const { chroot = '', members, clock, wrap, ...rest } = options;
    const name = `c${this.#clients.length + 1}`;
    const process = new SimulatedProcess(this.clock, clock);
    const dialer = process.dialer(this.network.host(name));
    const known = this.members.filter(({ id }) => members?.includes(id) ?? true);
    const client = createClient(`sim://${known.map(({ name }) => `${name}:7300`).join(',')}${chroot}`, {
      ...rest,
      clock: process,
      random: fork(this.#random),
      logger: this.#logger(name),
      dialer:
        wrap === undefined
          ? dialer
          : { dial: async (address, dialOptions) => wrap(await dialer.dial(address, dialOptions)) },
    });
    const made = { name, client, process };
    this.#clients.push(made);
    return made;
  }

  /** The client's process dies; its session is left to expire. */
  kill({ process }: ClusterClient): void {
    process.kill();
  }

  /** Every line is whole and as at the beginning, every disk works and is fast, who is paused goes on, who is down is started. */
  heal(): void {
    this.network.heal();
    for (const member of this.members) {
      member.disk.repair();
      member.disk.capacityBytes = Infinity;
      member.resume();
      member.start();
    }
    for (const { process } of this.#clients) process.resume();
  }

  /** Closes the clients whose processes run. */
  async closeClients(): Promise<void> {
    const living = this.#clients.filter(({ process }) => process.state !== 'dead');
    await Promise.all(living.map(({ client }) => client.close()));
  }

  /** Closes the clients that live, then stops the members. */
  async close(): Promise<void> {
    this.heal();
    await this.closeClients();
    await Promise.all(this.members.map((member) => member.stop()));
    for (const { process } of this.#clients) process.kill();
  }

  /** Waits so long in virtual time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(ms, resolve));
  }

  /** Waits until the condition holds, asked every 10 ms of virtual time. Rejects after `maxMs`. */
  async until(condition: () => boolean | Promise<boolean>, maxMs = 120_000): Promise<void> {
    const deadline = this.clock.now() + maxMs;
    while (!(await condition())) {
      if (this.clock.now() >= deadline)
        throw new Error(`after ${maxMs} ms this still does not hold: ${String(condition)}`);
      await this.sleep(POLL_MS);
    }
  }

  #logger(name: string): Logger {
    return this.trace?.logger(name) ?? silentLogger;
  }
}
