import { createClient, type Client } from '../../core/client/index.js';
import {
  checkOptions,
  QuorateError,
  type Clock,
  type LogFields,
  type Logger,
  type OptionNames,
  type Random,
} from '../../core/runtime/index.js';
import { SimulatedProcess, type Cluster } from '../../core/testing/index.js';
import {
  Application,
  type ApplicationEvent,
  type ApplicationEventType,
  type ApplicationOptions,
  type EventOf,
  type Token,
} from '../index.js';
import type { TestTime } from './test-time.js';

const PARTITION_OPTIONS: OptionNames<{ readonly members?: readonly number[] }> = { members: true };

/** As for `Application.start`, but for what the fleet provides. */
export type TestApplicationOptions = Omit<
  ApplicationOptions,
  'connect' | 'tls' | 'clock' | 'random' | 'handleSignals'
>;

export interface TestLogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** What a test application has of its fleet. */
export interface TestApplicationParts {
  readonly name: string;
  readonly cluster: Cluster;
  readonly time: TestTime;
  readonly random: Random;
}

/** Log entries that a description of the application names. */
const LOG_LINES_NAMED = 3;

/**
 * An application under test, on a machine of its own: a real `Application`, whose process can stand still or die and
 * whose line to the members can be cut.
 *
 * starting → running ⇄ paused → crashed or stopped. The machine is what fails: code of the application that waits for
 * neither its clock nor its session goes on in a pause and after a crash, since it runs in the process of the test.
 */
export class TestApplication implements AsyncDisposable {
  /** Its `id`, and the name of its host in the network. */
  readonly name: string;
  /** All that it told of itself, in order. */
  readonly events: ApplicationEvent[] = [];
  /** All that it logged, in order. */
  readonly log: TestLogEntry[] = [];
  readonly #process: SimulatedProcess;
  readonly #cluster: Cluster;
  readonly #time: TestTime;
  readonly #random: Random;
  #application: Application | undefined;
  #state: 'starting' | 'running' | 'paused' | 'crashed' | 'stopped' = 'starting';
  #cutOffFrom: readonly string[] = [];

  /** Made by `TestFleet.application`, which starts it. */
  constructor({ name, cluster, time, random }: TestApplicationParts) {
    this.name = name;
    this.#cluster = cluster;
    this.#time = time;
    this.#random = random;
    this.#process = new SimulatedProcess(cluster.clock);
  }

  get state(): 'starting' | 'running' | 'paused' | 'crashed' | 'stopped' {
    return this.#state;
  }

  /** @throws QuorateError `TEST_APPLICATION_DOWN` before its start is through. */
  get application(): Application {
    if (this.#application === undefined) throw this.#notNow('it has not started');
    return this.#application;
  }

  /** Its session client. */
  get client(): Client {
    return this.application.client;
  }

  /** Its own time: stands still while it is paused, and for good when it has crashed. */
  get clock(): Clock {
    return this.#process;
  }

  /** The instance of a class, or the value of a token. */
  get<T>(token: Token<T>): T {
    return this.application.get(token);
  }

  /** The events of one type so far, in order. */
  eventsOf<Type extends ApplicationEventType>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  /** Starts it; time has to be moved meanwhile. */
  async start(options: TestApplicationOptions): Promise<void> {
    const { hooks, logger, ...rest } = options;
    const event = (event: ApplicationEvent): void => {
      this.events.push(event);
      hooks?.event?.(event);
    };
    try {
      this.#application = await Application.start({
        ...rest,
        id: this.name,
        connect: { createClient: (given) => this.#connect(given), close: async () => undefined },
        clock: this.#process,
        random: this.#random,
        logger: this.#recorder(logger),
        hooks: { ...hooks, event },
      });
    } catch (error) {
      this.#end('stopped');
      throw error;
    }
    if (this.#state === 'starting') this.#state = 'running';
    void this.#application.stopped.then(() => {
      if (this.#state !== 'crashed') this.#end('stopped');
    });
  }

  /**
   * Cuts its lines to the members, or to those given by number, both ways; nobody is told. Its session is suspended,
   * then lost, as time goes on.
   */
  partition(options: { readonly members?: readonly number[] } = {}): void {
    checkOptions('TestApplication.partition', options, PARTITION_OPTIONS);
    const { members = this.#cluster.members.map(({ id }) => id) } = options;
    const names = members.map((id) => this.#cluster.member(id).name);
    for (const name of names) {
      this.#cluster.network.block(this.name, name);
      this.#cluster.network.block(name, this.name);
    }
    this.#cutOffFrom = [...new Set([...this.#cutOffFrom, ...names])];
  }

  /** Mends its lines. */
  heal(): void {
    for (const name of this.#cutOffFrom) {
      this.#cluster.network.unblock(this.name, name);
      this.#cluster.network.unblock(name, this.name);
    }
    this.#cutOffFrom = [];
  }

  /**
   * Ends its session as in life: cut off until it knows and the members have expired it, then let back. Takes some
   * session timeouts of virtual time; resolves when it is connected with its next session.
   */
  async expireSession(): Promise<void> {
    if (this.#state !== 'running') throw this.#notNow(`it is ${this.#state}`);
    const { client } = this;
    const { epoch, timeoutMs } = client.session;
    this.partition();
    await this.#time.until(() => client.state === 'lost' || client.session.epoch > epoch, {
      what: `${this.name} to notice that its session is lost`,
    });
    await this.#time.advance(2 * timeoutMs);
    this.heal();
    await this.#time.until(() => client.state === 'connected' && client.session.epoch > epoch, {
      what: `${this.name} to connect with its next session`,
    });
  }

  /** Its process stands still, as in a long collection of garbage: no timer fires, nothing comes in, nothing leaves. */
  pause(): void {
    if (this.#state !== 'running') throw this.#notNow(`it is ${this.#state}`);
    this.#state = 'paused';
    this.#process.pause();
  }

  /** Its process goes on, and notices, late and in order, what it has missed. */
  resume(): void {
    if (this.#state !== 'paused') throw this.#notNow(`it is ${this.#state}`);
    this.#state = 'running';
    this.#process.resume();
  }

  /**
   * Its process is gone without a goodbye, as by `kill -9`: its connections break, its session lives on until it
   * expires. What it has asked for is never answered.
   */
  crash(): void {
    if (this.#state === 'crashed' || this.#state === 'stopped') return;
    this.#end('crashed');
  }

  /** Stops it in order, moving time as far as that takes. Nothing happens if it is gone. */
  async stop(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    if (this.#state === 'paused') this.resume();
    if (this.#state !== 'running') return;
    await this.#time.wait(this.application.stop(options), { what: `${this.name} to stop` });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** How it is, in a line, with the last warnings that it logged. */
  describe(): string {
    const client = this.#application?.client;
    const parts = [
      this.#state,
      ...(client === undefined ? [] : [client.state]),
      ...(this.#cutOffFrom.length > 0 ? [`cut off from ${this.#cutOffFrom.join(', ')}`] : []),
      ...this.log
        .filter(({ level }) => level === 'warn' || level === 'error')
        .slice(-LOG_LINES_NAMED)
        .map(({ level, message, fields }) => `${level}: ${message}${reason(fields)}`),
    ];
    return `${this.name}: ${parts.join('; ')}`;
  }

  #connect(options: Parameters<typeof createClient>[1]): Client {
    const addresses = this.#cluster.members.map(({ name }) => `${name}:7300`).join(',');
    return createClient(`sim://${addresses}`, {
      ...options,
      dialer: this.#process.dialer(this.#cluster.network.host(this.name)),
    });
  }

  #end(state: 'crashed' | 'stopped'): void {
    this.#state = state;
    this.#process.kill();
  }

  #recorder(inner: Logger | undefined, own: LogFields = {}): Logger {
    const line =
      (level: TestLogEntry['level']) =>
      (message: string, fields: LogFields = {}): void => {
        this.log.push({ level, message, fields: { ...own, ...fields } });
        inner?.[level](message, fields);
      };
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: (fields) => this.#recorder(inner?.child(fields), { ...own, ...fields }),
    };
  }

  #notNow(why: string): QuorateError {
    return new QuorateError('TEST_APPLICATION_DOWN', `this cannot be asked of ${this.name}: ${why}`, {
      fields: { application: this.name, state: this.#state },
    });
  }
}

function reason({ error }: LogFields): string {
  return error instanceof Error ? ` (${error.message})` : '';
}
