import { readFileSync } from 'node:fs';
import {
  silentLogger,
  SystemClock,
  SystemRandom,
  type Clock,
  type Logger,
  type Random,
} from '../runtime/index.js';
import { FileStorage, NodeDisk } from '../storage/index.js';
import { CLIENT_PATH, CLIENT_SUBPROTOCOL, CloseCode } from '../transport/index.js';
import { WebSocketListener } from '../transport/listener.js';
import { livez, readyz, startingHealth, type MemberHealth } from './health.js';
import { Member } from './member.js';
import { memberSecret } from './member-secret.js';
import { ConfigurationError, resolveServerOptions, type ServerOptions } from './server-options.js';

export interface ServeOptions extends Partial<ServerOptions> {
  /** The data directory; made if it is not there. One process at a time. */
  readonly data: string;
  /** Address to listen at. Default 127.0.0.1: only this machine. */
  readonly host?: string;
  /** Default 7300; 0 lets the system choose. */
  readonly port?: number;
  /** Connections that one remote address may have at once. Default: as many as all together. */
  readonly maxConnectionsPerAddress?: number;
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
  health(): MemberHealth;
  /** Calls `listener` once if the member fails; it takes no part any more, and the process should exit. */
  onFailure(listener: (error: Error) => void): void;
  /** Stops accepting, answers what is in flight, closes connections, syncs, and closes the storage. Idempotent. */
  close(): Promise<void>;
}

export const DEFAULT_PORT = 7300;
/** Files and peers have to be opened even when clients take all they can get. */
const RESERVED_DESCRIPTORS = 128;
/** A client may send so many of the largest packets in one message. */
const PACKETS_PER_MESSAGE = 4;

/**
 * Runs a member on a data directory and a port. The port is bound first, so that `/livez` and `/readyz` tell of a recovery that
 * takes long; resolves when clients are welcome.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const resolved = resolveServerOptions(options);
  const port = checkPort(options.port ?? DEFAULT_PORT);
  const { clock = new SystemClock(), random = new SystemRandom(), logger = silentLogger } = options;
  const maxConnections = Math.min(resolved.maxConnections, descriptorLimit() - RESERVED_DESCRIPTORS);
  const listener = new WebSocketListener({
    host: options.host ?? '127.0.0.1',
    port,
    maxConnections,
    maxConnectionsPerAddress: options.maxConnectionsPerAddress ?? maxConnections,
    requestTimeoutMs: resolved.handshakeMs,
    clock,
    logger,
  });
  let member: Member | null = null;
  const health = (): MemberHealth => member?.health() ?? startingHealth(resolved.id);
  listener.route(CLIENT_PATH, {
    subprotocol: CLIENT_SUBPROTOCOL,
    maxMessageBytes: PACKETS_PER_MESSAGE * (resolved.maxPacketBytes + 4),
    accept: (connection) =>
      member === null
        ? connection.close({ code: CloseCode.goingAway, text: 'starting' })
        : member.accept(connection),
  });
  listener.get('/livez', () => livez(health()));
  listener.get('/readyz', () => readyz(health()));
  const bound = await listener.listen();
  try {
    member = await startMember(options, { clock, random, logger });
  } catch (error) {
    await listener.close();
    throw error;
  }
  return served(member, listener, bound);
}

async function startMember(
  options: ServeOptions,
  runtime: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
): Promise<Member> {
  const disk = await NodeDisk.open(options.data);
  const owner = `member ${resolveServerOptions(options).id}`;
  const storage = await FileStorage.open({ disk, owner, logger: runtime.logger, random: runtime.random });
  try {
    const secret = await memberSecret(disk.location, runtime.random);
    return await Member.start({ storage, secret, options, ...runtime });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function served(
  member: Member,
  listener: WebSocketListener,
  { host, port }: { readonly host: string; readonly port: number },
): Served {
  const close = async (): Promise<void> => {
    listener.stop();
    await member.close();
    await listener.close();
  };
  let closing: Promise<void> | null = null;
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    address: `ws://${host.includes(':') ? `[${host}]` : host}:${port}`,
    host,
    port,
    health: () => member.health(),
    onFailure: (report) => member.onFailure(report),
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
