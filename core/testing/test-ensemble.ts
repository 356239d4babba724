import { createClient, type Client, type ClientOptions } from '../client/index.js';
import { checkOptions, SeededRandom, silentLogger, type Logger, type OptionNames } from '../runtime/index.js';
import { Member, type ServerOptions } from '../server/index.js';
import { FileStorage, MemoryDisk, type CrashLoss } from '../storage/index.js';
import { MemoryNetwork, type MemoryListener } from '../transport/index.js';
import { FaultyLine } from './faulty-line.js';
import { SimulatedProcess } from './simulated-process.js';
import type { RequestPattern } from './request-pattern.js';
import { VirtualClock } from './virtual-clock.js';

const ADDRESS = 'memory://member:7300';
/** So that a short test sees more than one log file. */
const SEGMENT_BYTES = 64 * 1024;
const SECRET_BYTES = 32;
const POLL_MS = 10;
const DEFAULT_PATIENCE_MS = 3_600_000;

export interface TestEnsembleOptions {
  /** Everything that is left to chance follows from it. Default 1. */
  readonly seed?: number;
  /** How the member behaves. */
  readonly server?: Partial<ServerOptions>;
  /** Of the member. */
  readonly logger?: Logger;
  /** Virtual time that a scenario may take. Default an hour. */
  readonly patienceMs?: number;
}

const ENSEMBLE_OPTIONS: OptionNames<TestEnsembleOptions> = {
  seed: true,
  server: true,
  logger: true,
  patienceMs: true,
};

/** As for `createClient`, but for what the ensemble provides. */
export type TestClientOptions = Omit<ClientOptions, 'clock' | 'dialer' | 'transports'> & {
  readonly chroot?: string | undefined;
};

/**
 * A member and its clients in one process, on a virtual clock, a virtual network and a virtual disk, all of it
 * reproducible from a seed; with the verbs for what goes wrong in production.
 *
 * ```ts
 * await TestEnsemble.play(async (ensemble) => {
 *   const client = await ensemble.client();
 *   ensemble.loseConnection(client);
 *   await client.create('/a');
 * });
 * ```
 *
 * Within a scenario time moves by itself whenever everything else stands still: what waits an hour for a timer is
 * done in a moment. No verb may be called before `start` or after `close`.
 */
export class TestEnsemble {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork(this.clock);
  /** The member's disk: make it fail, fill up, or become slow. */
  readonly disk: MemoryDisk;
  readonly #options: TestEnsembleOptions;
  readonly #random: SeededRandom;
  readonly #secret: Uint8Array;
  readonly #lines = new Map<Client, FaultyLine>();
  #running: {
    readonly process: SimulatedProcess;
    readonly listener: MemoryListener;
    readonly member: Member;
  } | null = null;

  /** Nothing runs yet: `start` is next. `play` does both. */
  constructor(options: TestEnsembleOptions = {}) {
    checkOptions('TestEnsemble', options, ENSEMBLE_OPTIONS);
    this.#options = options;
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#secret = this.#random.bytes(SECRET_BYTES);
    this.disk = new MemoryDisk(this.#random);
  }

  /**
   * Runs a scenario in a fresh ensemble, moving time whenever everything stands still, and closes all of it
   * afterwards. Rejects with what the scenario rejects with, if it takes more virtual time than
   * `patienceMs`, or if something leaves a timer behind.
   */
  static async play(
    scenario: (ensemble: TestEnsemble) => Promise<void>,
    options: TestEnsembleOptions = {},
  ): Promise<void> {
    const ensemble = new TestEnsemble(options);
    const run = async (): Promise<void> => {
      await ensemble.start();
      try {
        await scenario(ensemble);
      } finally {
        await ensemble.close();
      }
    };
    await ensemble.clock.waitFor(run(), options.patienceMs ?? DEFAULT_PATIENCE_MS);
    const left = ensemble.clock.pendingTimers;
    if (left > 0) throw new Error(`${left} timers are left behind after everything was closed`);
  }

  /** Starts the member; resolves when clients are welcome. */
  async start(): Promise<void> {
    await this.restartMember();
  }

  /** Closes every client, then the member. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#lines.keys()].map((client) => client.close()));
    await this.stopMember();
  }

  /** The member that runs now; throws if none does. */
  get member(): Member {
    if (this.#running === null) throw new Error('no member runs: call restartMember first');
    return this.#running.member;
  }

  /** What an application or a client of the test's own has to be given, together with a `line`. */
  get connectString(): string {
    return ADDRESS;
  }

  /** A line of its own to the member, for whatever takes a dialer. */
  line(): FaultyLine {
    return new FaultyLine(this.network);
  }

  /** A client of its own line; resolves when it is connected. */
  async client(options: TestClientOptions = {}): Promise<Client> {
    const { chroot = '', ...rest } = options;
    const line = this.line();
    const client = createClient(ADDRESS + chroot, {
      random: new SeededRandom(Math.floor(this.#random.next() * 0x100000000)),
      logger: silentLogger,
      ...rest,
      clock: this.clock,
      dialer: line,
    });
    this.#lines.set(client, line);
    await client.connected();
    return client;
  }

  /** The line of a client made here. */
  lineOf(client: Client): FaultyLine {
    const line = this.#lines.get(client);
    if (line === undefined) throw new Error('this client was not made by this ensemble');
    return line;
  }

  /** Breaks the client's connection; it may connect again at once. */
  loseConnection(client: Client): void {
    this.lineOf(client).loseConnection();
  }

  /** Breaks every client's connection. */
  loseConnections(): void {
    for (const line of this.#lines.values()) line.loseConnection();
  }

  /** The client's connection breaks in front of such a request: the member never sees it. Resolves when it has happened. */
  loseNextRequest(client: Client, pattern: RequestPattern = {}): Promise<void> {
    return this.lineOf(client).loseNextRequest(pattern);
  }

  /** The client's connection breaks in front of the reply to such a request: it has been carried out. Resolves when it has happened. */
  loseNextReply(client: Client, pattern: RequestPattern = {}): Promise<void> {
    return this.lineOf(client).loseNextReply(pattern);
  }

  /**
   * Ends the client's session as in life: cut off until the client knows and the member has expired it, then
   * let back. Resolves when the client has its next session, or is closed.
   */
  async expireSession(client: Client): Promise<void> {
    const { epoch, timeoutMs } = client.session;
    const line = this.lineOf(client);
    line.cutOff();
    await this.sleep(timeoutMs + 4 * this.member.options.tickMs);
    line.rejoin();
    await this.until(
      () => client.state === 'closed' || (client.state === 'connected' && client.session.epoch > epoch),
    );
  }

  /** The member dies: with `keep` as by kill -9; else as by a power failure, which may take what was not synced. */
  crashMember(loss: CrashLoss = 'random'): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    running.listener.close();
    running.process.kill();
    this.disk.crash(loss);
  }

  /** Stops the member in order. */
  async stopMember(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    running.process.resume();
    running.listener.close();
    await running.member.close();
    this.#running = null;
  }

  /** Starts a member on what the last one left on the disk, stopping that one in order if it still runs. */
  async restartMember(): Promise<void> {
    await this.stopMember();
    const { logger = silentLogger, server = {} } = this.#options;
    const random = new SeededRandom(Math.floor(this.#random.next() * 0x100000000));
    const process = new SimulatedProcess(this.clock);
    const storage = await FileStorage.open({ disk: this.disk, random, logger, segmentBytes: SEGMENT_BYTES });
    const parts = { storage, clock: process, random, secret: this.#secret, options: server, logger };
    const member = await Member.start(parts);
    const listener = this.network.listen(ADDRESS, (connection) => member.accept(process.connect(connection)));
    this.#running = { process, listener, member };
  }

  /** The member stands still: it answers nothing, its connections stay open. */
  pauseMember(): void {
    this.#running?.process.pause();
  }

  /** The member goes on, with all that waited, late. */
  resumeMember(): void {
    this.#running?.process.resume();
  }

  /** Waits so long in virtual time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(ms, resolve));
  }

  /** Waits until the condition holds, asked every 10 ms of virtual time. Rejects after `maxMs`. */
  async until(condition: () => boolean | Promise<boolean>, maxMs = 120_000): Promise<void> {
    const deadline = this.clock.now() + maxMs;
    while (!(await condition())) {
      if (this.clock.now() >= deadline) {
        throw new Error(`after ${maxMs} ms this still does not hold: ${String(condition)}`);
      }
      await this.sleep(POLL_MS);
    }
  }
}
