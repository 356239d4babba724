import type { Client, ClientOptions } from '../../core/client/index.js';
import { createClient } from '../../core/client/index.js';
import { SystemClock, type Clock, type LogFields, type Logger } from '../../core/runtime/index.js';
import { Embedded } from '../../core/server/index.js';
import { SeededRandom, VirtualClock } from '../../core/testing/index.js';
import type { Connection } from '../../core/transport/index.js';
import {
  Application,
  type ApplicationEvent,
  type ApplicationOptions,
  type Engine,
} from '../../framework/index.js';

/** No step of a test takes longer, in virtual time. */
const PATIENCE_MS = 120_000;
const REAL_PATIENCE_MS = 20_000;

export const SESSION_TIMEOUT_MS = 6000;

type StartOptions = Omit<ApplicationOptions, 'connect' | 'clock' | 'random'>;

/** One member, and the applications that a test starts on it, all on one clock. */
export class Fleet {
  readonly clock: Clock;
  readonly random = new SeededRandom(7);
  readonly machines: Machine[] = [];
  readonly #member: Embedded;
  readonly #virtual: VirtualClock | undefined;
  readonly #clients: Client[] = [];

  private constructor(member: Embedded, clock: Clock) {
    this.#member = member;
    this.clock = clock;
    this.#virtual = clock instanceof VirtualClock ? clock : undefined;
  }

  static async start(): Promise<Fleet> {
    const clock = new VirtualClock();
    return new Fleet(await clock.waitFor(startMember(clock), PATIENCE_MS), clock);
  }

  /** In real time, for what waits for a disk: a virtual clock would not wait for it. */
  static async startInRealTime(): Promise<Fleet> {
    const clock = new SystemClock();
    return new Fleet(await startMember(clock), clock);
  }

  /** Virtual time, to be moved. */
  get time(): VirtualClock {
    return this.#virtual!;
  }

  /** Starts an application on a machine of its own. */
  async run(options: StartOptions, machine = this.machine()): Promise<Machine> {
    await this.wait(machine.start(options));
    return machine;
  }

  machine(): Machine {
    const machine = new Machine(this, this.#member, `machine-${this.machines.length + 1}`);
    this.machines.push(machine);
    return machine;
  }

  /** A client beside the applications. */
  async client(): Promise<Client> {
    const client = this.machine().createClient({ clock: this.clock, random: this.random });
    this.#clients.push(client);
    await this.wait(client.connected());
    return client;
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return this.#virtual?.waitFor(promise, PATIENCE_MS) ?? promise;
  }

  async until(condition: () => boolean): Promise<void> {
    if (this.#virtual !== undefined) return this.#virtual.runUntil(condition, PATIENCE_MS);
    for (const end = this.clock.now() + REAL_PATIENCE_MS; !condition();) {
      if (this.clock.now() > end) throw new Error(`this still does not hold: ${String(condition)}`);
      await new Promise<void>((resolve) => this.clock.setTimer(5, resolve, { hold: true }));
    }
  }

  /** Lets what is due happen, at this moment of virtual time. */
  settle(): Promise<void> {
    return this.time.settle();
  }

  /** Stops everything; fails if a timer is left over. */
  async end(): Promise<void> {
    for (const machine of this.machines) {
      machine.heal();
      if (machine.hasApplication) await this.wait(machine.application.stop());
    }
    for (const client of this.#clients) await this.wait(client.close());
    await this.wait(this.#member.close());
    const left = this.#virtual?.pendingTimers ?? 0;
    if (left > 0) throw new Error(`${left} timers are left over`);
  }
}

/** A process of the fleet, as far as the network is concerned: its connections can be cut. */
export class Machine implements Engine {
  readonly id: string;
  readonly events: ApplicationEvent[] = [];
  readonly log: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  readonly #fleet: Fleet;
  readonly #member: Embedded;
  readonly #connections = new Set<Connection>();
  #isCut = false;
  #application: Application | undefined;

  constructor(fleet: Fleet, member: Embedded, id: string) {
    this.#fleet = fleet;
    this.#member = member;
    this.id = id;
  }

  get hasApplication(): boolean {
    return this.#application !== undefined;
  }

  get application(): Application {
    return this.#application!;
  }

  async start(options: StartOptions): Promise<void> {
    const { clock, random } = this.#fleet;
    this.#application = await Application.start({
      id: this.id,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      logger: this.#logger(),
      ...options,
      hooks: {
        ...options.hooks,
        event: (event) => {
          this.events.push(event);
          options.hooks?.event?.(event);
        },
      },
      connect: this,
      clock,
      random,
    });
  }

  createClient(options: ClientOptions): Client {
    return createClient('embedded:', {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      ...options,
      dialer: {
        dial: async (_address, { signal }) => {
          if (this.#isCut) throw new Error('the network is cut');
          const connection = await this.#member.dialer.dial(this.#member.address, { signal });
          if (this.#isCut) connection.terminate();
          this.#connections.add(connection);
          return connection;
        },
      },
    });
  }

  async close(): Promise<void> {
    this.cut();
  }

  /** Breaks every connection and lets no new one be made. */
  cut(): void {
    this.#isCut = true;
    for (const connection of this.#connections) connection.terminate();
    this.#connections.clear();
  }

  heal(): void {
    this.#isCut = false;
  }

  /** The types of the events so far, in order. */
  get story(): readonly string[] {
    return this.events.map((event) => ('state' in event ? `${event.type} ${event.state}` : event.type));
  }

  eventsOf<Type extends ApplicationEvent['type']>(type: Type): Extract<ApplicationEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<ApplicationEvent, { type: Type }> => event.type === type,
    );
  }

  #logger(): Logger {
    const line =
      (level: string) =>
      (message: string, fields: LogFields = {}): void =>
        void this.log.push({ level, message, fields });
    const logger: Logger = {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: () => logger,
    };
    return logger;
  }
}

function startMember(clock: Clock): Promise<Embedded> {
  return Embedded.start({ clock, random: new SeededRandom(3) });
}

/** Wraps a test in a fleet on virtual time that is stopped when the test is through. */
export function onFleet(body: (fleet: Fleet) => Promise<void>): () => Promise<void> {
  return async () => {
    const fleet = await Fleet.start();
    await body(fleet);
    await fleet.end();
  };
}
