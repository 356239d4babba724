import { Member, type EnsembleMember, type ServerOptions } from '../../../core/server/index.js';
import { createClient, type Client, type ClientOptions } from '../../../core/client/index.js';
import type { StateMachine } from '../../../core/data/index.js';
import { FileStorage, MemoryDisk } from '../../../core/storage/index.js';
import { SeededRandom, VirtualClock } from '../../../core/testing/index.js';
import {
  MemoryNetwork,
  type Connection,
  type Dialer,
  type MemoryListener,
} from '../../../core/transport/index.js';
import { writeFoundedDirectory, writeOldDirectory } from './founded-directory.js';
import { RawClient } from './raw-client.js';
import { LogBook } from './world.js';

/** Longest that anything a test waits for takes, in virtual time. */
const PATIENCE_MS = 60_000;
const SECRET = new Uint8Array(32).fill(3);

export interface EnsembleWorldOptions extends Partial<ServerOptions> {
  readonly voters?: number;
  readonly observers?: number;
  /** Of single members, in place of the secret that all have. */
  readonly secrets?: Readonly<Record<number, Uint8Array>>;
  /** Options that a single member has in place of those of all. */
  readonly optionsOf?: Readonly<Record<number, Partial<ServerOptions>>>;
  /** The members are those of an ensemble that was founded before. Default: if some of them are not to be heard. */
  readonly isFounded?: boolean;
  /** As `serve --initialize`. Default false. */
  readonly initialize?: boolean;
  /** The directories are those of an ensemble that was founded before ensembles had ids, with a session. Default false. */
  readonly isOld?: boolean;
  /** Members that are not started. */
  readonly absent?: readonly number[];
}

interface Running {
  readonly member: Member;
  readonly listeners: readonly MemoryListener[];
}

/** Several members in memory on a virtual clock, and the clients that a test opens to them. */
export class EnsembleWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly log = new LogBook();
  readonly disks = new Map<number, MemoryDisk>();
  /** The state of each member as it holds it in memory. */
  readonly machines = new Map<number, StateMachine>();
  /** Milliseconds from one member to another, by `1-2`, which goes in that direction only; 1 for all others. */
  readonly latencies = new Map<string, number>();
  readonly #network = new MemoryNetwork(this.clock, {
    latencyMs: (from, to) => this.latencies.get(`${numberIn(from)}-${numberIn(to)}`) ?? 1,
  });
  readonly #options: EnsembleWorldOptions;
  #members: readonly EnsembleMember[];
  readonly #running = new Map<number, Running>();
  /** By the two ends, such as `1-2`, the lower number first; 0 is any client. */
  readonly #connections = new Map<string, Set<Connection>>();
  readonly #cuts = new Set<string>();
  #starts = 0;
  /** Number of the present start of each member that runs. */
  readonly #startOf = new Map<number, number>();

  private constructor(options: EnsembleWorldOptions) {
    this.#options = options;
    const { voters = 3, observers = 0 } = options;
    this.#members = Array.from({ length: voters + observers }, (_, index) => {
      return { id: index + 1, address: `ws://member-${index + 1}:7300/peer`, isObserver: index >= voters };
    });
    for (const { id } of this.members) this.disks.set(id, new MemoryDisk(new SeededRandom(id)));
  }

  /** Resolves when every member that is started serves. */
  static async start(options: EnsembleWorldOptions = {}): Promise<EnsembleWorld> {
    const world = new EnsembleWorld(options);
    await world.#writeDirectories();
    const present = world.members.map(({ id }) => id).filter((id) => options.absent?.includes(id) !== true);
    for (const id of present) await world.launch(id);
    await world.serving(...present);
    return world;
  }

  /** Without waiting for anything. */
  static async launched(options: EnsembleWorldOptions = {}): Promise<EnsembleWorld> {
    const world = new EnsembleWorld(options);
    await world.#writeDirectories();
    for (const { id } of world.members) if (options.absent?.includes(id) !== true) await world.launch(id);
    return world;
  }

  /** As members that are started next list them. */
  get members(): readonly EnsembleMember[] {
    return this.#members;
  }

  /** Members that are started next list every member as one with a vote. */
  giveVotes(): void {
    this.#members = this.#members.map((member) => ({ ...member, isObserver: false }));
  }

  member(id: number): Member {
    return this.#running.get(id)!.member;
  }

  get running(): readonly number[] {
    return [...this.#running.keys()].sort((a, b) => a - b);
  }

  /** Starts a member on what its disk holds. */
  async launch(id: number): Promise<void> {
    const member = await this.wait(this.#startMember(id));
    const listeners = [
      this.#network.listen(`member-${id}`, (connection) => member.accept(connection)),
      this.#network.listen(`member-${id}/peer`, (connection) => member.acceptPeer(connection)),
    ];
    this.#running.set(id, { member, listeners });
  }

  /** The process of the member dies at this moment. */
  kill(id: number): void {
    const { member, listeners } = this.#running.get(id)!;
    this.#running.delete(id);
    this.#startOf.delete(id);
    for (const listener of listeners) listener.close();
    this.disks.get(id)!.crash();
    for (const { id: other } of [{ id: 0 }, ...this.members]) this.#sever(id, other);
    void member.close();
  }

  /** Stops the member in order. */
  async stop(id: number): Promise<void> {
    const { member, listeners } = this.#running.get(id)!;
    for (const listener of listeners) listener.close();
    await this.wait(member.close());
    this.#running.delete(id);
  }

  /** No connection between the two lives, and none can be made, until `mend`. */
  cut(one: number, other: number): void {
    this.#cuts.add(pairOf(one, other));
    this.#sever(one, other);
  }

  /** From everybody but clients. */
  isolate(id: number): void {
    for (const { id: other } of this.members) if (other !== id) this.cut(id, other);
  }

  mend(): void {
    this.#cuts.clear();
  }

  get leader(): number | undefined {
    return this.running.find(
      (id) => this.member(id).health().state === 'leading' && this.member(id).health().isServing,
    );
  }

  /** Waits until all of these serve, and returns who leads. */
  async serving(...ids: readonly number[]): Promise<number> {
    const wanted = ids.length > 0 ? ids : this.running;
    await this.until(
      () => this.leader !== undefined && wanted.every((id) => this.member(id).health().isServing),
    );
    return this.leader!;
  }

  /** Waits until all that run have applied the same, and checks that it adds up to the same. */
  async converged(): Promise<void> {
    const of = (key: 'zxid' | 'digest'): Set<string> =>
      new Set(this.running.map((id) => this.member(id).health()[key]));
    await this.until(() => of('zxid').size === 1);
    if (of('digest').size !== 1)
      throw new Error(`digests differ at the same zxid: ${[...of('digest')].join(', ')}`);
  }

  until(condition: () => boolean): Promise<void> {
    return this.clock.runUntil(condition, PATIENCE_MS);
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return this.clock.waitFor(promise, PATIENCE_MS);
  }

  /** As a client sees the network; addresses are `member-1` and so on. */
  get dialer(): Dialer {
    return this.#dialerOf(0);
  }

  /** A client of the library that knows all members and finds its way. */
  client(options: Partial<ClientOptions> = {}): Client {
    const url = `ws://${this.members.map(({ id }) => `member-${id}`).join(',')}`;
    const { clock, dialer } = this;
    const random = new SeededRandom(this.#starts + 7);
    return createClient(url, { clock, dialer, random, ...options });
  }

  /** Connected to that member, but silent. */
  dial(id: number): Promise<RawClient> {
    return this.wait(RawClient.dial(this.dialer, `member-${id}`));
  }

  /** A client with a new session at that member. */
  async open(id: number, timeoutMs = 10_000): Promise<RawClient> {
    const client = await this.dial(id);
    await this.wait(client.connect({ timeoutMs }));
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.running) await this.stop(id);
  }

  async #writeDirectories(): Promise<void> {
    const { absent, secrets, isFounded = absent !== undefined || secrets !== undefined } = this.#options;
    const write = this.#options.isOld === true ? writeOldDirectory : writeFoundedDirectory;
    if (isFounded || this.#options.isOld === true) for (const disk of this.disks.values()) await write(disk);
  }

  async #startMember(id: number): Promise<Member> {
    const {
      voters: _v,
      observers: _o,
      absent: _a,
      isFounded: _f,
      isOld: _old,
      secrets,
      optionsOf,
      initialize,
      ...options
    } = this.#options;
    this.#starts += 1;
    this.#startOf.set(id, this.#starts);
    const random = new SeededRandom(100 * id + this.#starts);
    const { clock, log: logger } = this;
    const storage = await FileStorage.open({
      disk: this.disks.get(id)!,
      random,
      logger,
      segmentBytes: 64 * 1024,
    });
    return Member.start({
      storage,
      clock,
      random,
      logger,
      secret: secrets?.[id] ?? SECRET,
      options: { ...options, ...optionsOf?.[id], id },
      initialize,
      ensemble: { members: this.members, dialer: this.#dialerOf(id) },
      probe: {
        started: (machine) => this.machines.set(id, machine),
        installed: (machine) => this.machines.set(id, machine),
      },
    });
  }

  /** A process that has died dials nobody, though parts of it may still run here. */
  #dialerOf(from: number): Dialer {
    const start = this.#startOf.get(from);
    const dialer = this.#network.dialer(from === 0 ? 'client' : `member-${from}`);
    return {
      dial: async (address, options) => {
        // Clients of the library, and members, put scheme and port around the name.
        const name = address.replace(/^ws:\/\/([^:]*):\d+/, '$1');
        const pair = pairOf(from, numberIn(name));
        const connection = await dialer.dial(
          this.#cuts.has(pair) || start !== this.#startOf.get(from) ? 'nowhere' : name,
          options,
        );
        if (!this.#connections.has(pair)) this.#connections.set(pair, new Set());
        this.#connections.get(pair)!.add(connection);
        return connection;
      },
    };
  }

  #sever(one: number, other: number): void {
    const pair = pairOf(one, other);
    for (const connection of this.#connections.get(pair) ?? []) connection.terminate();
    this.#connections.delete(pair);
  }
}

/** Of the member that an address belongs to; 0 for a client. */
function numberIn(address: string): number {
  return Number(/^member-(\d+)/.exec(address)?.[1] ?? 0);
}

function pairOf(one: number, other: number): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}
