import type { X509Certificate } from 'node:crypto';
import {
  checkOptions,
  SystemClock,
  SystemRandom,
  limitedLogger,
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
import { WebSocketListener, type HttpCaller } from '../../transport/listener.js';
import { Authentication, identitiesOfCertificate } from '../clients/index.js';
import {
  checkEnsemble,
  ConfigurationError,
  type EnsembleMember,
  isLoopback,
  memberSecret,
  parseEnsemble,
  resolveServerOptions,
  SecretRing,
  type ServerOptions,
} from '../configuration/index.js';
import { Member, type MemberHealth, startingHealth } from '../member/index.js';
import { MAX_FRAME_BYTES } from '../peers/index.js';
import { BACKUP_PATH, BACKUP_ROUTE, BackupService } from './backups/backup-service.js';
import type { ClientListener } from './client-listener.js';
import { Credentials, type CredentialOptions } from './credentials.js';
import { SERVE_OPTIONS } from './option-names.js';
import { checkLooseFiles, type LooseFileOptions } from './loose-files.js';
import { livez, readyz, stoppable } from './readiness.js';
import { RunningMember } from './running-member.js';
import {
  type BackupStatus,
  ScheduledBackups,
  type ScheduledBackupOptions,
} from './backups/scheduled-backups.js';
import { socketsOf, type SocketShares } from './socket-shares.js';

export interface ServeOptions
  extends Partial<ServerOptions>, CredentialOptions, LooseFileOptions, ScheduledBackupOptions {
  /** The data directory; made if it is not there. One process at a time. */
  readonly data: string;
  /** Address to listen at. Default 127.0.0.1, only this machine; in an ensemble on several machines, 0.0.0.0. */
  readonly host?: string;
  /** Default 7300, or what `ensemble` says of this member; 0 lets the system choose. */
  readonly port?: number;
  /**
   * All members, this one among them: `1=a:7300,2=b:7300,3=c:7300:observer`, or the same as a list with `ws://` or `wss://`
   * addresses; `wss` is what a text without schemes means with `tlsCert`, unless `tlsAllowPlain` is given. The members take each
   * other's links where they take clients. Needs `secret` or `secretFile`, or `tlsCa` and `wss://` addresses, unless all of them, and
   * `host`, are addresses of loopback. Default: this member alone.
   */
  readonly ensemble?: string | readonly EnsembleMember[];
  /** Whether this member is one without a vote: must agree with what `ensemble` says of it. */
  readonly observer?: boolean;
  /**
   * Accepted, but without effect: a new ensemble of several members is founded when all of its members run with empty directories, and
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

/** What a member says of itself, and how the backups are that its process takes; null if it takes none. */
export interface ProcessHealth extends MemberHealth {
  readonly backup: BackupStatus | null;
}

/** A member that listens. */
export interface Served extends AsyncDisposable {
  /** Where clients connect: `ws://host:port`, or `wss://host:port` with TLS. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** The same for each of the other listeners. */
  readonly otherAddresses: readonly string[];
  health(): ProcessHealth;
  /** Resolves when clients are welcome for the first time: in an ensemble that takes a quorum. Rejects if the member fails before. */
  serving(): Promise<void>;
  /** Calls `listener` once if the member fails; it takes no part any more, and the process should exit. */
  onFailure(listener: (error: Error) => void): void;
  /**
   * Reads certificates and secrets again from their files. No connection ends. Never rejects: what cannot be used is logged as an error,
   * and the member keeps what it has.
   */
  reload(): Promise<void>;
  /** Stops accepting, lets another member lead, answers what is in flight, closes connections, syncs, and closes the storage. Idempotent. */
  close(): Promise<void>;
}

export const DEFAULT_PORT = 7300;
/** A client may send so many of the largest packets in one message. */
const PACKETS_PER_MESSAGE = 4;

/** What `serve` makes of its options before anything is opened. */
interface Plan {
  readonly options: ServeOptions;
  readonly resolved: ServerOptions;
  /** Null for a member that stands alone. */
  readonly members: readonly EnsembleMember[] | null;
  readonly credentials: Credentials;
  readonly sockets: SocketShares;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Runs a member on a data directory and a port. The port is bound first, so that `/livez` and `/readyz` tell of a recovery that
 * takes long; resolves when the member takes part: one that stands alone welcomes clients by then, others when a quorum is
 * there. Rejects with `InvalidArgumentError` for an option of an unknown name, `ConfigurationError` for a value that cannot be, or with what
 * the port or the storage found wrong.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const plan = await planOf(options);
  const { resolved, members, credentials } = plan;
  const listener = listenerOf(plan);
  let running: RunningMember | null = null;
  const current = (): Member | null => running?.current ?? null;
  const scheduled = ScheduledBackups.of({ ...plan, id: resolved.id, member: current });
  const health = (): ProcessHealth => ({
    ...(current()?.health() ?? startingHealth(resolved.id)),
    backup: scheduled?.status ?? null,
  });
  type Take = (member: Member, connection: Connection, certificate: X509Certificate | null) => void;
  const orClose =
    (take: Take) =>
    (connection: Connection, certificate: X509Certificate | null): void => {
      const member = current();
      if (member === null) connection.close({ code: CloseCode.goingAway, text: 'starting' });
      else take(member, connection, certificate);
    };
  listener.route(CLIENT_PATH, {
    subprotocol: CLIENT_SUBPROTOCOL,
    from: 'client',
    maxMessageBytes: PACKETS_PER_MESSAGE * (resolved.maxPacketBytes + 4),
    accept: orClose((started, connection, certificate) =>
      started.accept(connection, identitiesOfCertificate(certificate)),
    ),
  });
  if (members !== null) {
    listener.route(PEER_PATH, {
      subprotocol: PEER_SUBPROTOCOL,
      from: 'peer',
      maxMessageBytes: MAX_FRAME_BYTES,
      accept: orClose((started, connection, certificate) =>
        started.acceptPeer(connection, credentials.certificateCheck(certificate)),
      ),
    });
  }
  const backups = new BackupService({
    ...plan,
    options: resolved,
    authentication: () => authenticationOf(plan),
    member: current,
  });
  listener.route(BACKUP_PATH, {
    ...BACKUP_ROUTE,
    accept: (connection, certificate) => backups.accept(connection, certificate),
  });
  const isTrusted = (caller: HttpCaller): boolean => isAuthorized(plan, caller);
  listener.get('/livez', (caller) => livez(health(), isTrusted(caller)));
  listener.get('/readyz', (caller) => readyz(health(), isTrusted(caller)));
  listener.get('/stoppable', (caller) => stoppable(health(), isTrusted(caller)));
  const listeners = [listener, ...(options.listeners ?? [])];
  const close = async (): Promise<void> => {
    await scheduled?.close();
    await closeAll(listeners);
    credentials.close();
  };
  try {
    const bound = await listener.listen();
    const otherAddresses = await listenElsewhere(plan, current, health);
    const { logger } = plan;
    running = new RunningMember(() => startMember(plan), logger);
    await running.started();
    await scheduled?.start();
    return served(plan, { running, health, listeners, close }, { ...bound, otherAddresses });
  } catch (error) {
    await close();
    throw error;
  }
}

/** The other ways in are open as early as the first, and for as long. */
async function listenElsewhere(
  plan: Plan,
  member: () => Member | null,
  health: () => ProcessHealth,
): Promise<readonly string[]> {
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
      tls: plan.credentials.tls,
      requiresCertificate: options.tlsClientAuth !== 'optional',
      data: options.data,
      health,
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
  checkOptions('serve', options, SERVE_OPTIONS);
  const resolved = resolveServerOptions(options);
  const { clock = new SystemClock(), random = new SystemRandom(), observer } = options;
  // Most lines are caused by others.
  const logger = limitedLogger(options.logger ?? warningLogger, clock);
  const members =
    typeof options.ensemble === 'string'
      ? parseEnsemble(options.ensemble, schemeOf(options))
      : (options.ensemble ?? []);
  if (members.length > 0) checkEnsemble(members, resolved.id);
  const own = members.find(({ id }) => id === resolved.id);
  if (observer !== undefined && observer !== (own?.isObserver ?? false)) {
    throw new ConfigurationError(
      'observer',
      `the ensemble has member ${resolved.id} as ${observer ? 'one with a vote' : 'an observer'}`,
      `All members must agree on it: write ${resolved.id}=host:port:observer for an observer, everywhere.`,
    );
  }
  const sockets = socketsOf(resolved.maxConnections, options.maxConnectionsPerAddress);
  const plan = {
    options,
    resolved,
    sockets,
    members: members.length < 2 ? null : members,
    clock,
    random,
    logger,
  };
  await checkLooseFiles(options, logger);
  const credentials = await Credentials.open(options, { ...plan, host: hostOf(plan) });
  return { ...plan, credentials };
}

/** What an address without a scheme means. */
function schemeOf({ tlsCert, tlsAllowPlain }: ServeOptions): 'ws' | 'wss' {
  return tlsCert === undefined || tlsAllowPlain === true ? 'ws' : 'wss';
}

function listenerOf(plan: Plan): WebSocketListener {
  const { options, resolved, sockets, credentials, clock, logger } = plan;
  return new WebSocketListener({
    host: hostOf(plan),
    allowedOrigins: options.allowedOrigins,
    allowedHosts: options.allowedHosts,
    port: checkPort(options.port ?? Number(ownAddress(plan).port ?? DEFAULT_PORT)),
    sockets: sockets.budget,
    requestTimeoutMs: resolved.handshakeMs,
    tls: credentials.tls ?? undefined,
    requiresCertificate: options.tlsClientAuth === 'required',
    allowsPlain: options.tlsAllowPlain,
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
    const { secrets, tls, proofs } = plan.credentials;
    const secret = secrets ?? new SecretRing([]);
    if (secrets === null || proofs[0] === 'certificate')
      secret.signWith(await memberSecret(disk.location, random));
    const dialer = new WebSocketDialer({
      path: PEER_PATH,
      subprotocol: PEER_SUBPROTOCOL,
      maxMessageBytes: MAX_FRAME_BYTES,
      isMasked: false,
      ...(tls === null ? {} : { tls: () => tls.options }),
    });
    const ensemble = members === null ? {} : { ensemble: { members, dialer, proofs } };
    const { initialize } = options;
    const limited = { ...options, maxConnections: sockets.clients };
    return await Member.start({
      storage,
      secret,
      accounts: plan.credentials.accounts,
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

/** Whether somebody may see more over HTTP than whether the member lives: by certificate, or by user and password. */
function isAuthorized(plan: Plan, { authorization, certificate }: HttpCaller): boolean {
  if (!plan.resolved.requireAuth || certificate !== null) return true;
  const [, basic] = /^basic ([a-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
  if (basic === undefined) return false;
  const authentication = authenticationOf(plan);
  const identities = authentication.identities({
    type: 0,
    scheme: 'digest',
    auth: Buffer.from(basic, 'base64'),
  });
  return identities !== null && authentication.isAccepted(identities);
}

function authenticationOf({ resolved, credentials }: Plan): Authentication {
  return new Authentication(resolved, credentials.accounts);
}

/** What `serve` has started. */
interface Started {
  readonly running: RunningMember;
  readonly health: () => ProcessHealth;
  readonly listeners: readonly Pick<ClientListener, 'stop'>[];
  /** Closes the listeners. */
  readonly close: () => Promise<void>;
}

function served(
  { credentials }: Plan,
  { running, health, listeners, close }: Started,
  bound: Pick<Served, 'host' | 'port' | 'otherAddresses'>,
): Served {
  const { host, port } = bound;
  const closeAfterMember = async (): Promise<void> => {
    for (const listener of listeners) listener.stop();
    await running.close();
    await close();
  };
  let closing: Promise<void> | null = null;
  const closeOnce = (): Promise<void> => (closing ??= closeAfterMember());
  const scheme = credentials.tls === null ? 'ws' : 'wss';
  return {
    ...bound,
    address: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    health,
    serving: () => running.latest.serving(),
    onFailure: (report) => running.onFailure(report),
    reload: () => credentials.reload(),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function checkPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ConfigurationError('port', `${port} is not a port`, 'Give a whole number from 0 to 65535.');
}
