import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { SystemClock, SystemRandom, type Logger } from '../../core/runtime/index.js';
import {
  Member,
  resolveServerOptions,
  type MemberGauges,
  type ServerOptions,
} from '../../core/server/index.js';
import type { StateMachine } from '../../core/data/index.js';
import { FileStorage, MemoryDisk } from '../../core/storage/index.js';
import { MemoryNetwork, type Connection } from '../../core/transport/index.js';
import { SocketBudget, WebSocketListener } from '../../core/transport/listener.js';
import { ZooKeeperListener } from '../../plugins/zookeeper/index.js';
import { writeFoundedDirectory } from '../core/server/founded-directory.js';
import { noisy, type Noise } from './noise.js';

const TICK_MS = 100;
const LINES_KEPT = 40;
const LONGEST_LINE = 300;
const MAX_PACKET_BYTES = 64 * 1024;
const MAX_FRAME_BYTES = 1024 * 1024 + 16;
const SUPER = 'root:secret of the good client';
export const SUPER_AUTH = Buffer.from(SUPER);
export const SECRET: Uint8Array = new Uint8Array(32).fill(7);
/** 1 votes and leads, 2 and 3 observe; 4 is listed, but has no process: attackers pass for it. */
const LISTED = [1, 2, 3, 4].map((id) => ({ id, address: `member-${id}/peer`, isObserver: id > 1 }));

/** Errors that report what another member did: right where attackers pass for a member that knows the secret. */
const BLAME_OF_MEMBERS = /^(Peer link closed|The states of members differ)/;

const OPTIONS: Partial<ServerOptions> = {
  tickMs: TICK_MS,
  minSessionMs: 2 * TICK_MS,
  maxSessionMs: 20 * TICK_MS,
  handshakeMs: 1_000,
  maxPacketBytes: MAX_PACKET_BYTES,
  containerCheckMs: 500,
  superDigest: `root:${createHash('sha1').update(SUPER).digest('base64')}`,
};

interface Place {
  readonly member: Member;
  readonly machine: () => StateMachine;
  readonly gauges: () => MemberGauges;
}

/**
 * Three members in this process, and every way in: the memory network for clients and members, a port for HTTP and WebSockets, and
 * ZooKeeper's port, these two at member 1, the leader.
 */
export class Arena implements AsyncDisposable {
  /** Errors that a member has logged, and failures of members. */
  readonly faults: string[] = [];
  /** How often what member 3 sends is changed. */
  readonly noise: Noise;
  httpPort = 0;
  zookeeperPort = 0;
  readonly #clock = new SystemClock();
  readonly #network = new MemoryNetwork(this.#clock);
  readonly #places: Place[] = [];
  readonly #lines: string[] = [];
  readonly #budget = new SocketBudget({ total: 2_000, unproven: 500 });
  readonly #webSocket: WebSocketListener;
  readonly #zookeeper = new ZooKeeperListener({ port: 0, fourLetterWords: '*' });

  private constructor(noise: Noise) {
    this.noise = noise;
    this.#webSocket = new WebSocketListener({
      host: '127.0.0.1',
      port: 0,
      sockets: this.#budget,
      requestTimeoutMs: OPTIONS.handshakeMs!,
      clock: this.#clock,
      logger: this.#logger(1),
    });
  }

  static async open(noise: Noise): Promise<Arena> {
    const arena = new Arena(noise);
    for (const id of [1, 2, 3]) await arena.#start(id);
    await Promise.all(arena.#places.map(({ member }) => member.serving()));
    await arena.#listen();
    return arena;
  }

  /** A client's connection to member 1. */
  dialClient(): Promise<Connection> {
    return this.#network.dial('member-1', { signal: new AbortController().signal });
  }

  /** A connection to the address for members of one of them. */
  dialPeer(id: number): Promise<Connection> {
    return this.#network.dial(`member-${id}/peer`, { signal: new AbortController().signal });
  }

  /** The state of the leader. */
  get machine(): StateMachine {
    return this.#places[0]!.machine();
  }

  /** What the members have logged last. */
  get log(): readonly string[] {
    return this.#lines.slice(-LINES_KEPT);
  }

  get digests(): readonly string[] {
    return this.#places.map(({ member }) => {
      const { isServing, zxid, digest } = member.health();
      return isServing ? `${zxid} ${digest}` : 'does not serve';
    });
  }

  /** What the leader holds for clients and members, and what the process holds for sockets. */
  get holdings(): Readonly<Record<string, number>> {
    const { member, gauges } = this.#places[0]!;
    const { connections, requests, held } = gauges();
    const { watchBytes, waitingOutputBytes, outstanding } = member.inspection.figures();
    const { peerLinks: _links, ...rest } = held;
    const sockets = this.#webSocket.socketCount;
    return { connections, requests, ...rest, watchBytes, waitingOutputBytes, outstanding, sockets };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#webSocket.stop();
    for (const { member } of this.#places) await member.close();
    await Promise.all([this.#webSocket.close(), this.#zookeeper.close()]);
  }

  async #start(id: number): Promise<void> {
    const disk = new MemoryDisk();
    await writeFoundedDirectory(disk);
    const [logger, random] = [this.#logger(id), new SystemRandom()];
    const storage = await FileStorage.open({ disk, canRejoin: true, logger, random, segmentBytes: 4 << 20 });
    let machine: StateMachine | null = null;
    let gauges: MemberGauges | null = null;
    const member = await Member.start({
      storage,
      clock: this.#clock,
      random,
      logger,
      secret: SECRET,
      options: { ...OPTIONS, id },
      ensemble: { members: LISTED, dialer: this.#network.dialer(`member-${id}`) },
      probe: {
        started: (started) => (machine = started),
        installed: (installed) => (machine = installed),
        turned: (latest) => (gauges = latest),
      },
    });
    member.onFailure((error) => this.faults.push(`member ${id} failed: ${error.stack}`));
    this.#network.listen(`member-${id}`, (connection) => member.accept(connection));
    const take = (connection: Connection): void =>
      member.acceptPeer(id === 3 ? noisy(connection, this.noise) : connection);
    this.#network.listen(`member-${id}/peer`, take);
    this.#places.push({ member, machine: () => machine!, gauges: () => gauges! });
  }

  async #listen(): Promise<void> {
    const { member } = this.#places[0]!;
    this.#webSocket.route('/client', {
      subprotocol: 'zookeeper.v1',
      from: 'client',
      maxMessageBytes: 4 * (MAX_PACKET_BYTES + 4),
      accept: (connection) => member.accept(connection),
    });
    this.#webSocket.route('/peer', {
      subprotocol: 'quorate.peer.v1',
      from: 'peer',
      maxMessageBytes: MAX_FRAME_BYTES,
      accept: (connection) => member.acceptPeer(connection),
    });
    for (const path of ['/livez', '/readyz'])
      this.#webSocket.get(path, () => ({ status: 200, contentType: 'text/plain', body: 'ok' }));
    this.httpPort = (await this.#webSocket.listen()).port;
    const address = await this.#zookeeper.listen({
      options: resolveServerOptions({ ...OPTIONS, id: 1 }),
      host: '127.0.0.1',
      sockets: this.#budget,
      maxConnectionsPerAddress: Infinity,
      clock: this.#clock,
      logger: this.#logger(1),
      ensemble: [],
      tls: null,
      requiresCertificate: false,
      data: '/nowhere',
      health: () => member.health(),
      inspection: () => member.inspection,
      accept: (connection, identities) => member.accept(connection, identities),
    });
    this.zookeeperPort = Number(/:(\d+)$/.exec(address)![1]);
  }

  /** Whatever a sender does, it is no error of the member. */
  #logger(member: number): Logger {
    const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      this.#lines.push(
        `member ${member}: ${message} ${inspect(fields, { breakLength: Infinity })}`.slice(0, LONGEST_LINE),
      );
      if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT);
    };
    const error = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      note(message, fields);
      if (BLAME_OF_MEMBERS.test(message)) return;
      const { error: cause } = fields;
      this.faults.push(
        `member ${member} logs an error: ${message}: ${cause instanceof Error ? cause.stack : ''}`,
      );
    };
    const logger: Logger = { debug: note, info: note, warn: note, error, child: () => logger };
    return logger;
  }
}
