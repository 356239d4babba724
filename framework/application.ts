import { hostname } from 'node:os';
import { identified, type Client as SessionClient } from '../core/client/index.js';
import type { Hold } from '../core/recipes/index.js';
import {
  atCallerWithCauses,
  checkOptions,
  QuorateError,
  SystemClock,
  SystemRandom,
  warningLogger,
  type Clock,
  type Logger as LoggerPort,
  type OptionNames,
} from '../core/runtime/index.js';
import type { ApplicationHooks, ApplicationOptions, Provision } from './application-options.js';
import { BUILT_IN, makeBuiltIns, provideBuiltIns, type BuiltIns } from './built-ins.js';
import { LastKnownGood } from './config/last-known-good.js';
import { Container, isRegisteredGlobally, tokenName, type Token } from './container.js';
import { refuseUndeclared } from './dependencies.js';
import { publishDiagnostics } from './diagnostics.js';
import { openEngine } from './engine.js';
import {
  EventHub,
  type ApplicationEvent,
  type ApplicationEventType,
  type ApplicationState,
  type EventOf,
} from './events.js';
import { explore } from './explorer.js';
import type { ApplicationHealth } from './health.js';
import { checkProvidedLocks } from './locked-members.js';
import { composeModules } from './module.js';
import type { Plan } from './plan.js';
import { checkApplicationOptions, checkPluginNames } from './option-checks.js';
import { startTimeout } from './start-timeout.js';
import { HealthEndpoint } from './runtime/health-endpoint.js';
import { HealthMonitor } from './runtime/health-monitor.js';
import { LockInterceptor } from './runtime/lock-interceptor.js';
import { tellOfLock } from './runtime/lock-events.js';
import { LoopMonitor } from './runtime/loop-monitor.js';
import { startRunners } from './runtime/orchestrator.js';
import { handleSignals } from './runtime/process-signals.js';
import { UndoStack } from './runtime/undo-stack.js';
import { settledWithin } from './runtime/waiting.js';

/** How an application is stopped. */
interface StopOptions {
  /** Milliseconds that work in hand may go on; those of the options of the application if left out. */
  readonly deadlineMs?: number | undefined;
}

const STOP_OPTIONS: OptionNames<StopOptions> = { deadlineMs: true };

const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
const DEFAULT_DRAIN_DEADLINE_MS = 10_000;
const DEFAULT_LOOP_BLOCKED_MS = 1000;

/** How long a stop may take beyond the drain deadline: enough to give everything back to a server that answers. */
const STOP_GRACE_MS = 5000;

/** Longer than any process lives. */
const FOR_EVER_MS = 2 ** 52;

/**
 * The declared classes of one process, running.
 *
 * - starting: connects, loads configuration, builds and starts services, registers them, starts workers and leader
 *   jobs;
 * - running;
 * - draining: takes in nothing more; work in hand finishes, or is aborted at the deadline; then leaderships,
 *   registrations, services and the session end, in this order;
 * - stopped: final;
 * - failed: final; it could not start, or its client closed for good. What had been started is stopped.
 *
 * A running application keeps its process alive.
 */
export class Application implements AsyncDisposable {
  /** Names this process among those that run the same application. */
  readonly id: string;
  /** Resolves when the application is stopped or failed, whoever stopped it. */
  readonly stopped: Promise<void>;
  readonly #options: ApplicationOptions;
  readonly #clock: Clock;
  readonly #logger: LoggerPort;
  readonly #events: EventHub;
  readonly #undo: UndoStack;
  readonly #health: HealthMonitor;
  readonly #plan: Plan;
  /** What modules and plugins provide, and then what the options do. */
  readonly #provisions: readonly Provision[];
  /** Aborts when work in hand may not go on any longer. */
  readonly #deadline = new AbortController();
  #container: Container | undefined;
  /** Set when the configurations are about to be loaded: from then on declared classes can be asked for. */
  #areClassesKnown = false;
  #endpoint: HealthEndpoint | undefined;
  #client: SessionClient | undefined;
  #state: ApplicationState = 'starting';
  #stopping: Promise<void> | undefined;
  #resolveStopped: () => void = () => undefined;

  private constructor(options: ApplicationOptions, plan: Plan, provisions: readonly Provision[]) {
    const random = options.random ?? new SystemRandom();
    this.id = options.id ?? `${hostname()}-${process.pid}-${random.uuid().slice(0, 8)}`;
    this.#options = { ...options, random };
    this.#clock = options.clock ?? new SystemClock();
    this.#logger = (options.logger ?? warningLogger).child({ application: this.id });
    this.#events = new EventHub(this.#logger);
    this.#undo = new UndoStack(this.#clock, this.#logger);
    this.#health = new HealthMonitor(plan, this.#events, this.#clock);
    this.#provisions = provisions;
    this.#plan = plan;
    publishDiagnostics(this.#events, this.id);
    this.stopped = new Promise((resolve) => (this.#resolveStopped = resolve));
    for (const { event } of this.#allHooks()) if (event !== undefined) this.#events.on('*', event);
  }

  /**
   * Resolves when everything runs. If a step fails, what had been started is stopped again, and it rejects with the
   * reason.
   * @throws InvalidArgumentError for options of the wrong type, DeclarationError when the declarations cannot work; then
   * nothing was started.
   */
  static async start(options: ApplicationOptions): Promise<Application> {
    try {
      return await Application.#startChecked(options);
    } catch (error) {
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw atCallerWithCauses(error, Application.start);
    }
  }

  static async #startChecked(options: ApplicationOptions): Promise<Application> {
    checkApplicationOptions(options);
    const plugins = options.use ?? [];
    checkPluginNames(plugins.map(({ name }) => name));
    const { classes, provisions: composed } = composeModules([
      ...plugins.flatMap(({ declare = [] }) => declare),
      ...options.declare,
    ]);
    const provisions = [
      ...plugins.flatMap(({ provide = [] }) => provide),
      ...composed,
      ...(options.provide ?? []),
    ];
    checkProvidedLocks(provisions);
    const given = new Set<Token>(provisions.map(({ token }) => token));
    const provided = new Set<Token>([...BUILT_IN, ...given]);
    const isProvided = (token: Token): boolean => provided.has(token) || isRegisteredGlobally(token);
    const plan = explore(classes, isProvided, given);
    const application = new Application(options, plan, provisions);
    await application.#start(plan);
    return application;
  }

  /** Starts, stops on SIGTERM or SIGINT, and resolves when stopped: the whole `main` of a program. */
  static async run(options: ApplicationOptions): Promise<void> {
    const application = await Application.start({ ...options, handleSignals: true });
    await application.stopped;
  }

  get state(): ApplicationState {
    return this.#state;
  }

  /** The session client. Not to be closed. */
  get client(): SessionClient {
    if (this.#client === undefined)
      throw new QuorateError('NOT_CONNECTED', 'the application is not connected yet');
    return this.#client;
  }

  /** How it is now, as `/livez` and `/readyz` tell it. */
  health(): Promise<ApplicationHealth> {
    return this.#health.health(this.#state);
  }

  /** The port of `/livez` and `/readyz`, if the options ask for them. */
  get healthPort(): number | undefined {
    return this.#endpoint?.port;
  }

  /**
   * The instance of a class, or the value of a token. From the hook `connected` on for `Queues`, `Locks` and what else is
   * built in or provided; from the hook `started` on for declared classes.
   * @throws QuorateError `NOT_CONNECTED` or `NOT_BUILT` when it is too early, InjectionError when it cannot be built, or has a decorator
   * and is not declared.
   */
  get<T>(token: Token<T>): T {
    const container = this.#container;
    if (container === undefined) {
      const name = tokenName(token);
      throw new QuorateError(
        'NOT_CONNECTED',
        `app.get(${name}): the application is not connected yet. Call it from the hook connected on.`,
        { fields: { token: name } },
      );
    }
    if (!this.#areClassesKnown && !container.has(token)) {
      const name = tokenName(token);
      throw new QuorateError(
        'NOT_BUILT',
        `app.get(${name}): classes are built when their configuration is loaded, which is after the hook connected. ` +
          'Call it from the hook started on.',
        { fields: { token: name } },
      );
    }
    if (!container.has(token)) refuseUndeclared(token, this.#plan);
    return container.get(token);
  }

  /**
   * Calls `listener` with every event of one type, or of all with `*`; returns how to stop it.
   * @throws InvalidArgumentError for a type that no event has, and for a listener that is no function.
   */
  on<Type extends ApplicationEventType>(type: Type, listener: (event: EventOf<Type>) => void): () => void;
  on(type: '*', listener: (event: ApplicationEvent) => void): () => void;
  on(type: never, listener: (event: never) => void): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * Resolves when stopped. A second call may only bring the deadline forward.
   * @throws QuorateError `STILL_STARTING` when called from a hook of the start.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions('Application.stop', options, STOP_OPTIONS);
    if (this.#state === 'starting')
      throw new QuorateError(
        'STILL_STARTING',
        'an application can be stopped when Application.start has resolved; to give up a start, throw',
      );
    const { deadlineMs = this.#options.drainDeadlineMs ?? DEFAULT_DRAIN_DEADLINE_MS } = options;
    if (this.#stopping === undefined || options.deadlineMs !== undefined) this.#limit(deadlineMs);
    this.#stopping ??= this.#stop('stopped');
    await this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(plan: Plan): Promise<void> {
    this.#enter('starting');
    try {
      await this.#setUpPlugins();
      await this.#openEndpoint();
      const isOnline = await this.#connect();
      this.#watchLoop();
      const builtIns = this.#openContainer(plan);
      for (const { connected } of this.#allHooks()) await connected?.(this);
      await this.#startRunners(plan, builtIns, isOnline);
      for (const { started } of this.#allHooks()) await started?.(this);
    } catch (error) {
      // The caller is given the error; a second copy of it would only be noise.
      this.#logger.info('The application could not start', { error });
      this.#deadline.abort();
      this.#stopping = this.#stop('failed');
      await this.#stopping;
      throw error;
    }
    this.#enter('running');
    this.#holdProcess();
    // Until the very end: a second signal is to cut the waiting short, not to kill the process.
    if (this.#options.handleSignals === true) void this.stopped.then(handleSignals(this, this.#clock));
  }

  /** Those of plugins, in their order, then those of the options. */
  #allHooks(): readonly ApplicationHooks[] {
    const { use = [], hooks = {} } = this.#options;
    return [...use.map(({ hooks: own = {} }) => own), hooks];
  }

  async #setUpPlugins(): Promise<void> {
    for (const { name, setup } of this.#options.use ?? [])
      await setup?.({
        application: this,
        logger: this.#logger.child({ plugin: name }),
        addHealthCheck: (check) => this.#health.add(check),
        onStop: (undo) => this.#undo.push(`plugin ${name}`, async () => void (await undo())),
      });
  }

  async #openEndpoint(): Promise<void> {
    if (this.#options.health === undefined) return;
    const endpoint = await HealthEndpoint.listen(this.#options.health, () => this.health());
    this.#undo.push('the health endpoint', () => endpoint.close());
    this.#endpoint = endpoint;
  }

  #watchLoop(): void {
    const monitor = new LoopMonitor({
      clock: this.#clock,
      logger: this.#logger,
      events: this.#events,
      blockedMs: this.#options.loopBlockedMs ?? DEFAULT_LOOP_BLOCKED_MS,
      sessionTimeoutMs: () => this.client.session.timeoutMs,
    });
    monitor.start();
    this.#undo.push('the watch over the event loop', async () => monitor.stop());
  }

  /** Resolves with whether a server answers; false only if it may start without one. */
  async #connect(): Promise<boolean> {
    const {
      connect,
      tls,
      auth,
      acl,
      sessionTimeoutMs,
      connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS,
      random,
      lastKnownGood,
    } = this.#options;
    const engine = await openEngine(connect, {
      clock: this.#clock,
      logger: this.#logger,
      random,
      sessionTimeoutMs,
      tls,
      auth,
      acl,
    });
    this.#undo.push('the connection', () => engine.close());
    // A client that was made elsewhere has identities of its own.
    const engineAuth = engine.client === connect ? [] : auth;
    const { client } = engine;
    this.#client = client;
    const stopListening = client.onState((state) => this.#connectionChanged(state));
    this.#undo.push('connection events', async () => stopListening());
    if (await settledWithin(this.#clock, connectTimeoutMs, identified(client, engineAuth))) return true;
    if (lastKnownGood !== undefined) {
      this.#logger.warn('no server answers, starting with the last known good configuration', {
        connectTimeoutMs,
      });
      return false;
    }
    throw startTimeout(connect, connectTimeoutMs, client.connectError);
  }

  /** Makes what can be injected, before any class is built. */
  #openContainer(plan: Plan): BuiltIns {
    const { client, id } = this;
    const onHeld = (name: string, hold: Hold): void => tellOfLock(this.#events, name, hold);
    const builtIns = makeBuiltIns(client, { id, plan, onHeld, services: this.#options.services });
    this.#undo.push('service directories', () => builtIns.services[Symbol.asyncDispose]());
    const interceptor = new LockInterceptor(builtIns.locks, this.#deadline.signal);
    const container = new Container((instance, target) => interceptor.intercept(instance, target));
    this.#undo.push('the container', () => container.dispose());
    provideBuiltIns(container, client, { logger: this.#logger, builtIns });
    for (const { token, value } of this.#provisions) container.provide(token, value);
    this.#container = container;
    return builtIns;
  }

  async #startRunners(plan: Plan, { queues, store }: BuiltIns, isOnline: boolean): Promise<void> {
    const { client, id } = this;
    const { lastKnownGood, random } = this.#options;
    this.#areClassesKnown = true;
    await startRunners({
      plan,
      context: {
        client,
        clock: this.#clock,
        random: random!,
        logger: this.#logger,
        events: this.#events,
        id,
        environment: this.#options.environment ?? process.env,
      },
      container: this.#container!,
      undo: this.#undo,
      queues,
      store,
      health: this.#health,
      known: lastKnownGood === undefined ? undefined : new LastKnownGood(lastKnownGood, this.#logger),
      isOnline,
    });
  }

  #connectionChanged(state: string): void {
    this.#events.emit({ type: 'connection', state });
    if (state !== 'closed' || this.#stopping !== undefined) return;
    // A start rejects with what closed the client.
    if (this.#state !== 'starting')
      this.#logger.error('the client closed for good, the application stops', {});
    this.#deadline.abort();
    if (this.#state === 'running') this.#stopping = this.#stop('failed');
  }

  async #stop(end: 'stopped' | 'failed'): Promise<void> {
    if (end === 'stopped') {
      this.#enter('draining');
      await this.#callHook('draining');
    }
    await this.#undo.unwind(this.#deadline.signal, STOP_GRACE_MS);
    this.#enter(end);
    await this.#callHook('stopped');
    this.#resolveStopped();
  }

  async #callHook(name: 'draining' | 'stopped'): Promise<void> {
    for (const hooks of this.#allHooks()) {
      try {
        await hooks[name]?.(this);
      } catch (error) {
        this.#logger.error('a hook of the application failed', { hook: name, error });
      }
    }
  }

  #limit(deadlineMs: number): void {
    const timer = this.#clock.setTimer(deadlineMs, () => this.#deadline.abort(), { hold: true });
    void this.stopped.then(() => timer.cancel());
  }

  #holdProcess(): void {
    const timer = this.#clock.setTimer(FOR_EVER_MS, () => undefined, { hold: true });
    void this.stopped.then(() => timer.cancel());
  }

  #enter(state: ApplicationState): void {
    this.#state = state;
    this.#logger.info('application', { state });
    this.#events.emit({ type: 'state', state });
  }
}
