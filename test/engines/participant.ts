import { createClient, type Client, type ClientOptions } from '../../core/client/index.js';
import type { Connection, Dialer } from '../../core/transport/index.js';
import {
  Application,
  type ApplicationEvent,
  type ApplicationOptions,
  type Engine as ConnectTarget,
} from '../../framework/index.js';
import { SESSION_TIMEOUT_MS, type Engine } from './engine.js';

type StartOptions = Omit<ApplicationOptions, 'connect'>;

/** One process of a fleet, as far as the network is concerned: what connects from here can be cut off. */
export class Participant implements ConnectTarget {
  readonly name: string;
  readonly events: ApplicationEvent[] = [];
  readonly #engine: Engine;
  readonly #chroot: string;
  readonly #connections = new Set<Connection>();
  readonly #clients: Client[] = [];
  readonly #applications: Application[] = [];
  #isCutOff = false;

  constructor(engine: Engine, chroot: string, name: string) {
    this.#engine = engine;
    this.#chroot = chroot;
    this.name = name;
  }

  /** A client with a session. */
  async client(options: ClientOptions = {}): Promise<Client> {
    const client = this.createClient(options);
    await client.connected();
    return client;
  }

  async run(options: StartOptions): Promise<Application> {
    const application = await Application.start({
      id: this.name,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      drainDeadlineMs: SESSION_TIMEOUT_MS,
      ...options,
      connect: this,
      hooks: { ...options.hooks, event: (event) => void this.events.push(event) },
    });
    this.#applications.push(application);
    return application;
  }

  createClient(options: ClientOptions): Client {
    const client = createClient(this.#engine.url(this.#chroot), {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      ...options,
      dialer: this.#dialer,
    });
    this.#clients.push(client);
    return client;
  }

  /** Of a client or an application: it ends its clients itself. */
  async close(): Promise<void> {}

  /** Breaks every connection; new ones may be made. */
  loseConnections(): void {
    for (const connection of this.#connections) connection.terminate();
    this.#connections.clear();
  }

  /** Breaks every connection, and lets none be made, as an unplugged cable does. */
  cutOff(): void {
    this.#isCutOff = true;
    this.loseConnections();
  }

  rejoin(): void {
    this.#isCutOff = false;
  }

  eventsOf<Type extends ApplicationEvent['type']>(type: Type): Extract<ApplicationEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<ApplicationEvent, { type: Type }> => event.type === type,
    );
  }

  /** Stops what was started here. */
  async end(): Promise<void> {
    this.rejoin();
    await Promise.all(this.#applications.map((application) => application.stop({ deadlineMs: 0 })));
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  readonly #dialer: Dialer = {
    dial: async (address, options) => {
      if (this.#isCutOff) throw new Error(`${this.name} is cut off`);
      const connection = await this.#engine.dialer.dial(address, options);
      if (this.#isCutOff) connection.terminate();
      this.#connections.add(connection);
      return connection;
    },
  };
}
