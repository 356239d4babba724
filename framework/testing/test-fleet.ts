import type { Client } from '../../core/client/index.js';
import { checkOptions, SeededRandom, type OptionNames } from '../../core/runtime/index.js';
import {
  Cluster,
  VirtualClock,
  type ClusterClientOptions,
  type ClusterMember,
  type ClusterOptions,
  type CrashLoss,
} from '../../core/testing/index.js';
import { TestApplication, type TestApplicationOptions } from './test-application.js';
import { TestTime, type WaitOptions } from './test-time.js';

const DEFAULT_PATIENCE_MS = 120_000;

export interface TestFleetOptions {
  /** Members of the ensemble; default 1. Three lose one without losing their quorum. */
  readonly members?: number | undefined;
  /** What is left to chance follows from it. Default 1. */
  readonly seed?: number | undefined;
  /** Virtual time that a wait may take, unless it says otherwise. Default two minutes. */
  readonly patienceMs?: number | undefined;
  /** How the members behave. */
  readonly server?: ClusterOptions['server'];
  /** What the lines are like. Default: nothing takes time, so that a request is answered while time stands still. */
  readonly line?: ClusterOptions['line'];
}

const FLEET_OPTIONS: OptionNames<TestFleetOptions> = {
  members: true,
  seed: true,
  patienceMs: true,
  server: true,
  line: true,
};

/**
 * A whole fleet in the process of a test: a real ensemble, and applications that run on it, on virtual time; with verbs
 * for what goes wrong in production. Made of plain promises, it works in the test files of any runner, and any
 * number of fleets can exist at once.
 *
 * Time stands still unless the test moves it: by `advance`, `until`, `wait`, and by the verbs that return a promise.
 * What has to wait for no timer, such as a request to members that serve, happens by itself, so that it can simply be
 * awaited. Files and sockets within this process are waited for; what another process answers is awaited by the test
 * itself, while time stands still.
 *
 * ```ts
 * await using fleet = await TestFleet.start({ members: 3 });
 * const app = await fleet.application({ declare: [CloseBooks] });
 * await fleet.until(() => app.eventsOf('run-done').length === 1);
 * ```
 */
export class TestFleet implements AsyncDisposable {
  /** Every application that was started, those that are gone among them. */
  readonly applications: TestApplication[] = [];
  /** Members, network and disks, for faults that have no verb here. */
  readonly cluster: Cluster;
  readonly #time: TestTime;
  readonly #random: SeededRandom;
  #isClosed = false;
  readonly #stuck = (): void => this.#warnOfStandstill();

  private constructor(options: TestFleetOptions) {
    const { members = 1, seed = 1, patienceMs = DEFAULT_PATIENCE_MS, server = {}, line } = options;
    this.#random = new SeededRandom(seed);
    this.cluster = new Cluster({
      seed,
      voters: members,
      server,
      line: { latencyMs: 0, jitterMs: 0, ...line },
      clock: new VirtualClock({ settlesItself: true, waitsForSystem: true }),
    });
    this.#time = new TestTime(this.clock, { patienceMs, situation: () => this.#situation() });
    process.once('beforeExit', this.#stuck);
  }

  /** Resolves when every member serves. */
  static async start(options: TestFleetOptions = {}): Promise<TestFleet> {
    checkOptions('TestFleet.start', options, FLEET_OPTIONS);
    const fleet = new TestFleet(options);
    try {
      fleet.cluster.start();
      await fleet.until(() => fleet.members.every(({ isServing }) => isServing), {
        what: 'every member to serve',
      });
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  /** The time of the fleet, for what the test provides to an application. */
  get clock(): VirtualClock {
    return this.cluster.clock;
  }

  /** By number, from 1 on, in `members[0]` and so on. */
  get members(): readonly ClusterMember[] {
    return this.cluster.members;
  }

  /** The number of the member that leads and serves. */
  get leader(): number | undefined {
    return this.cluster.leader?.id;
  }

  /**
   * Starts an application on a machine of its own, named `id` or else `app-1` and so on; moves time until it runs.
   * Rejects as `Application.start` does.
   */
  async application(options: TestApplicationOptions): Promise<TestApplication> {
    const name = options.id ?? `app-${this.applications.length + 1}`;
    const random = new SeededRandom(Math.floor(this.#random.next() * 0x1_0000_0000));
    const application = new TestApplication({ name, cluster: this.cluster, time: this.#time, random });
    this.applications.push(application);
    await this.wait(application.start(options), { what: `${name} to start` });
    return application;
  }

  /** A client beside the applications; resolves when it is connected. */
  async client(options: ClusterClientOptions = {}): Promise<Client> {
    const { client } = this.cluster.client(options);
    await this.wait(client.connected(), { what: 'a client to connect' });
    return client;
  }

  /** Moves time by `ms`: whatever falls due on the way happens. */
  advance(ms: number): Promise<void> {
    return this.#time.advance(ms);
  }

  /**
   * Moves time from event to event until the condition holds; one that answers by a promise is asked every 10 ms.
   * @throws TestTimeoutError when it still does not hold after `maxMs`.
   */
  until(condition: () => boolean | Promise<boolean>, options: WaitOptions = {}): Promise<void> {
    return this.#time.until(condition, options);
  }

  /**
   * Moves time until the promise settles, and settles likewise: for what has to wait for a timer.
   * @throws TestTimeoutError when it has not settled after `maxMs`.
   */
  wait<T>(promise: Promise<T>, options: WaitOptions = {}): Promise<T> {
    return this.#time.wait(promise, options);
  }

  /** Waits so long in virtual time, moving nothing: for test doubles that take their time. */
  sleep(ms: number): Promise<void> {
    return this.cluster.sleep(ms);
  }

  /** The member dies as by `kill -9`; with another loss as by a power failure, which may take what was not synced. */
  crashMember(id: number, loss: CrashLoss = 'keep'): void {
    this.cluster.member(id).crash(loss);
  }

  /**
   * Starts a member on what its disk holds, stopping it in order if it runs. Resolves when it serves, or when it runs
   * and too few do for a quorum.
   */
  async restartMember(id: number): Promise<void> {
    const member = this.cluster.member(id);
    if (member.state === 'running') await this.wait(member.stop(), { what: `${member.name} to stop` });
    member.start();
    const running = this.members.filter(({ state }) => state === 'running').length;
    if (2 * running <= this.members.length) return;
    await this.until(() => member.isServing, { what: `${member.name} to serve` });
  }

  /** The member stands still: it answers nothing, its connections stay open. */
  pauseMember(id: number): void {
    this.cluster.member(id).pause();
  }

  resumeMember(id: number): void {
    this.cluster.member(id).resume();
  }

  /** Cuts the member's lines to everybody; nobody is told. */
  partitionMember(id: number): void {
    this.cluster.network.isolate(this.cluster.member(id).name);
  }

  /** Every line is whole, who is paused goes on, every member that is down is started; who has crashed stays so. */
  heal(): void {
    this.cluster.heal();
    for (const application of this.applications) {
      application.heal();
      if (application.state === 'paused') application.resume();
    }
  }

  /** Heals, stops the applications that live, then clients and members. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    process.off('beforeExit', this.#stuck);
    this.heal();
    try {
      for (const application of this.applications.toReversed()) await application.stop();
    } finally {
      await this.wait(this.cluster.close(), { what: 'the members to stop' });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #situation(): string[] {
    const { members } = this;
    const states = members.map(({ name, state, member }) => `${name} ${member?.health().state ?? state}`);
    return [
      `members: ${states.join(', ')}`,
      ...this.applications.map((application) => `application ${application.describe()}`),
    ];
  }

  /** The process is about to end in the middle of a test: it awaits something that time would have to move for. */
  #warnOfStandstill(): void {
    const text = [
      'the test waits for something while the time of its fleet stands still: use fleet.wait, until or advance',
      ...this.#situation(),
      `pending: ${this.clock.describePending()}`,
    ];
    process.emitWarning(text.join('\n'), 'TestFleetWarning');
  }
}
