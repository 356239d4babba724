import { readFileSync } from 'node:fs';
import {
  SystemClock,
  SystemRandom,
  warningLogger,
  type Clock,
  type Logger,
  type Random,
} from '../../runtime/index.js';
import { FileStorage, NodeDisk } from '../../storage/index.js';
import {
  CLIENT_PATH,
  CLIENT_SUBPROTOCOL,
  CloseCode,
  PEER_PATH,
  PEER_SUBPROTOCOL,
  WebSocketDialer,
  type Connection,
} from '../../transport/index.js';
import { SocketBudget, WebSocketListener } from '../../transport/listener.js';
import type { ClientListener } from './client-listener.js';
import { checkEnsemble, parseEnsemble, type EnsembleMember } from '../configuration/ensemble.js';
import { ensembleSecret, loopbackSecret, type SecretSource } from '../configuration/ensemble-secret.js';
import { livez, readyz, startingHealth, type MemberHealth } from '../member/health.js';
import { isLoopback } from '../configuration/loopback.js';
import { Member } from '../member/member.js';
import { memberSecret } from '../configuration/member-secret.js';
import { RunningMember } from './running-member.js';
import { MAX_FRAME_BYTES } from '../peers/frame.js';
import {
  ConfigurationError,
  resolveServerOptions,
  type ServerOptions,
} from '../configuration/server-options.js';

export interface ServeOptions extends Partial<ServerOptions>, SecretSource {
  /** The data directory; made if it is not there. One process at a time. */
  readonly data: string;
  /** Address to listen at. Default 127.0.0.1, only this machine; in an ensemble on several machines, 0.0.0.0. */
  readonly host?: string;
  /** Default 7300, or what `ensemble` says of this member; 0 lets the system choose. */
  readonly port?: number;
  /**
   * All members, this one among them: `1=a:7300,2=b:7300,3=c:7300:observer`, or the same as a list with `ws://` addresses.
   * The members take each other's links where they take clients. Needs `secret` or
   * `secretFile`, unless all of them, and `host`, are addresses of loopback. Default: this member alone.
   */
  readonly ensemble?: string | readonly EnsembleMember[];
  /** Whether this member is one without a vote: must agree with what `ensemble` says of it. */
  readonly observer?: boolean;
  /**
   * Accepted, but without effect: a new ensemble of several voters is founded when all of its members run with empty directories, and
   * a member of a list of one needs no permission. The member logs a warning that says so. Default false.
   */
  readonly initialize?: boolean;
  /**
   * Origins of web pages that may connect as clients, such as `https://app.example`; `self` for pages that this member serves.
   * Default: none, so that no page in a browser can reach the tree. Members never accept an origin from each other.
   */
  readonly allowedOrigins?: readonly string[];
  /** Host names, besides its own and those of loopback, under which a browser may reach this member. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Connections that one remote address may have at once. Default: as many as all together. */
  readonly maxConnectionsPerAddress?: number;
  /** Other ways for clients to come here than `port`, such as ZooKeeper's own protocol over TCP. */
  readonly listeners?: readonly ClientListener[];
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A member that listens. */
export interface Served extends AsyncDisposable {
  /** Where clients connect: `ws://host:port`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** The same for each of the other listeners. */
  readonly otherAddresses: readonly string[];
  health(): MemberHealth;
  /** Resolves when clients are welcome for the first time: in an ensemble that takes a quorum. Rejects if the member fails before. */
  serving(): Promise<void>;
  /** Calls `listener` once if the member fails; it takes no part any more, and the process should exit. */
  onFailure(listener: (error: Error) => void): void;
  /** Stops accepting, lets another member lead, answers what is in flight, closes connections, syncs, and closes the storage. Idempotent. */
  close(): Promise<void>;
}

export const DEFAULT_PORT = 7300;
/** Files and peers have to be opened even when clients take all they can get. */
const RESERVED_DESCRIPTORS = 128;
/** Sockets for other members and for probes, even if clients have all theirs; fewer where descriptors are few. */
const RESERVED_SOCKETS = 64;
/** Sockets, over all listeners, that have not made a request yet; fewer where descriptors are few. */
const UNPROVEN_SOCKETS = 256;
/** The part of all sockets that each of the two may take. */
const SMALLEST_PART = 1 / 8;
/** A client may send so many of the largest packets in one message. */
const PACKETS_PER_MESSAGE = 4;

/** What `serve` makes of its options before anything is opened. */
interface Plan {
  readonly options: ServeOptions;
  readonly resolved: ServerOptions;
  /** Null for a member that stands alone. */
  readonly members: readonly EnsembleMember[] | null;
  /** Null where the data directory holds it. */
  readonly secret: Uint8Array | null;
  readonly sockets: SocketShares;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Runs a member on a data directory and a port. The port is bound first, so that `/livez` and `/readyz` tell of a recovery that
 * takes long; resolves when the member takes part: one that stands alone welcomes clients by then, others when a quorum is
 * there. Rejects with `ConfigurationError`, or with what the port or the storage found wrong.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const plan = await planOf(options);
  const { resolved, members } = plan;
  const listener = listenerOf(plan);
  let running: RunningMember | null = null;
  const current = (): Member | null => running?.current ?? null;
  const health = (): MemberHealth => current()?.health() ?? startingHealth(resolved.id);
  const orClose = (take: (member: Member, connection: Connection) => void) => (connection: Connection) => {
    const member = current();
    if (member === null) connection.close({ code: CloseCode.goingAway, text: 'starting' });
    else take(member, connection);
  };
  listener.route(CLIENT_PATH, {
    subprotocol: CLIENT_SUBPROTOCOL,
    from: 'client',
    maxMessageBytes: PACKETS_PER_MESSAGE * (resolved.maxPacketBytes + 4),
    accept: orClose((started, connection) => started.accept(connection)),
  });
  if (members !== null) {
    listener.route(PEER_PATH, {
      subprotocol: PEER_SUBPROTOCOL,
      from: 'peer',
      maxMessageBytes: MAX_FRAME_BYTES,
      accept: orClose((started, connection) => started.acceptPeer(connection)),
    });
  }
  listener.get('/livez', () => livez(health()));
  listener.get('/readyz', () => readyz(health()));
  const listeners = [listener, ...(options.listeners ?? [])];
  const bound = await listener.listen();
  try {
    const otherAddresses = await listenElsewhere(plan, current);
    const { logger } = plan;
    running = new RunningMember(() => startMember(plan), logger);
    await running.started();
    return served(running, health, listeners, { ...bound, otherAddresses });
  } catch (error) {
    await closeAll(listeners);
    throw error;
  }
}

/** The other ways in are open as early as the first, and for as long. */
async function listenElsewhere(plan: Plan, member: () => Member | null): Promise<readonly string[]> {
  const { options, resolved, clock, logger } = plan;
  const addresses: string[] = [];
  for (const listener of options.listeners ?? []) {
    const address = await listener.listen({
      options: resolved,
      host: hostOf(plan),
      sockets: plan.sockets.budget,
      maxConnectionsPerAddress: options.maxConnectionsPerAddress ?? Infinity,
      clock,
      logger: logger.child({ member: resolved.id }),
      ensemble: plan.members ?? [],
      data: options.data,
      health: () => member()?.health() ?? startingHealth(resolved.id),
      inspection: () => member()?.inspection ?? null,
      accept(connection, identities) {
        const started = member();
        if (started === null) connection.terminate();
        else started.accept(connection, identities);
      },
    });
    addresses.push(address);
  }
  return addresses;
}

async function closeAll(listeners: readonly Pick<ClientListener, 'close'>[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}

async function planOf(options: ServeOptions): Promise<Plan> {
  const resolved = resolveServerOptions(options);
  const {
    clock = new SystemClock(),
    random = new SystemRandom(),
    logger = warningLogger,
    observer,
  } = options;
  const members =
    typeof options.ensemble === 'string' ? parseEnsemble(options.ensemble) : (options.ensemble ?? []);
  if (members.length > 0) checkEnsemble(members, resolved.id);
  const own = members.find(({ id }) => id === resolved.id);
  if (observer !== undefined && observer !== (own?.isObserver ?? false)) {
    throw new ConfigurationError(
      'observer',
      `the ensemble has member ${resolved.id} as ${observer ? 'one with a vote' : 'an observer'}`,
      `All members must agree on it: write ${resolved.id}=host:port:observer for an observer, everywhere.`,
    );
  }
  const sockets = socketsOf(options, resolved);
  const plan = {
    options,
    resolved,
    sockets,
    members: members.length < 2 ? null : members,
    clock,
    random,
    logger,
  };
  return { ...plan, secret: await secretOf(plan) };
}

/** Null for a member that stands alone and is given none. */
async function secretOf(plan: Omit<Plan, 'secret'>): Promise<Uint8Array | null> {
  const { options, members, logger } = plan;
  if (options.secret !== undefined || options.secretFile !== undefined) return ensembleSecret(options);
  if (members === null) return null;
  const derived = loopbackSecret(members, hostOf(plan));
  if (derived === null) return ensembleSecret(options);
  logger.warn(
    'This ensemble has no secret: everybody on this machine can join it as a member, and take up the sessions of its clients. ' +
      'Give every member the same secret, or secretFile, unless it is there to try things out',
  );
  return derived;
}

function listenerOf(plan: Plan): WebSocketListener {
  const { options, resolved, sockets, clock, logger } = plan;
  return new WebSocketListener({
    host: hostOf(plan),
    allowedOrigins: options.allowedOrigins,
    allowedHosts: options.allowedHosts,
    port: checkPort(options.port ?? Number(ownAddress(plan).port ?? DEFAULT_PORT)),
    sockets: sockets.budget,
    requestTimeoutMs: resolved.handshakeMs,
    clock,
    logger,
  });
}

/** What the ensemble says of this member. */
function ownAddress({ resolved, members }: Pick<Plan, 'resolved' | 'members'>): {
  readonly host?: string;
  readonly port?: string;
} {
  const own = members?.find(({ id }) => id === resolved.id)?.address;
  const [, host, port] = /^wss?:\/\/(.*?)(?::(\d+))?\/?$/.exec(own ?? '') ?? [];
  return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
}

function hostOf(plan: Pick<Plan, 'options' | 'resolved' | 'members'>): string {
  const { host } = ownAddress(plan);
  return plan.options.host ?? (host === undefined || isLoopback(host) ? '127.0.0.1' : '0.0.0.0');
}

/** How the sockets of this process are shared. */
interface SocketShares {
  /** Connections of clients at once. */
  readonly clients: number;
  /** For all listeners together. */
  readonly budget: SocketBudget;
}

/** All listeners together leave enough descriptors for files and for the links to other members. */
function socketsOf(options: ServeOptions, { maxConnections }: ServerOptions): SocketShares {
  const most = descriptorLimit() - RESERVED_DESCRIPTORS;
  const part = Math.max(1, Math.floor(most * SMALLEST_PART));
  const unproven = Math.min(UNPROVEN_SOCKETS, part);
  const reserved = Math.min(RESERVED_SOCKETS, part);
  const clients = Math.min(maxConnections, most - unproven - reserved);
  const total = clients + unproven + reserved;
  const perAddress = options.maxConnectionsPerAddress;
  return { clients, budget: new SocketBudget({ total, unproven, perAddress }) };
}

async function startMember({ options, resolved, members, sockets, ...plan }: Plan): Promise<Member> {
  const { clock, random, logger } = plan;
  const disk = await NodeDisk.open(options.data);
  const storage = await FileStorage.open({
    disk,
    owner: `member ${resolved.id}`,
    canRejoin: members !== null,
    logger,
    random,
  });
  try {
    const secret = plan.secret ?? (await memberSecret(disk.location, random));
    const dialer = new WebSocketDialer({
      path: PEER_PATH,
      subprotocol: PEER_SUBPROTOCOL,
      maxMessageBytes: MAX_FRAME_BYTES,
      isMasked: false,
    });
    const ensemble = members === null ? {} : { ensemble: { members, dialer } };
    const { initialize } = options;
    const limited = { ...options, maxConnections: sockets.clients };
    return await Member.start({
      storage,
      secret,
      options: limited,
      initialize,
      clock,
      random,
      logger,
      ...ensemble,
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function served(
  running: RunningMember,
  health: () => MemberHealth,
  listeners: readonly Pick<ClientListener, 'stop' | 'close'>[],
  bound: Pick<Served, 'host' | 'port' | 'otherAddresses'>,
): Served {
  const { host, port } = bound;
  const close = async (): Promise<void> => {
    for (const listener of listeners) listener.stop();
    await running.close();
    await closeAll(listeners);
  };
  let closing: Promise<void> | null = null;
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    ...bound,
    address: `ws://${host.includes(':') ? `[${host}]` : host}:${port}`,
    health,
    serving: () => running.latest.serving(),
    onFailure: (report) => running.onFailure(report),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function checkPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ConfigurationError('port', `${port} is not a port`, 'Give a whole number from 0 to 65535.');
}

/** How many files and sockets this process may have open; without a limit where the system does not tell. */
function descriptorLimit(): number {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match === null ? Infinity : Math.max(2 * RESERVED_DESCRIPTORS, Number(match[1]));
  } catch {
    return Infinity;
  }
}
