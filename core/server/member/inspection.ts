import type { Clock } from '../../runtime/index.js';
import type { ClientConnection, ClientPipeline, ClientService } from '../clients/index.js';
import type { ServerOptions } from '../configuration/index.js';
import type { LatencyFigures, Refusals, Traffic } from '../metrics/index.js';
import type { ReplicatedState } from '../state/index.js';

export interface InspectionParts {
  readonly clock: Clock;
  readonly state: ReplicatedState;
  readonly clients: ClientService;
  readonly pipeline: ClientPipeline;
  readonly options: Pick<ServerOptions, 'maxDataBytes'>;
}

/** A member in numbers. Sizes in bytes, durations in milliseconds. */
export interface MemberFigures {
  readonly uptimeMs: number;
  /** For how long it has led; null if it does not. */
  readonly leadingMs: number | null;
  readonly received: number;
  readonly sent: number;
  readonly latency: LatencyFigures;
  /** Requests of this member's clients that have no reply yet. */
  readonly outstanding: number;
  readonly connections: number;
  readonly znodes: number;
  readonly ephemerals: number;
  readonly dataBytes: number;
  /** What all znodes take in memory, about. */
  readonly treeBytes: number;
  /** What they may take: on a leader the least that a voter allows; null is no limit. */
  readonly maxDataBytes: number | null;
  /** Changes that this leader has refused because the tree would have become too large. */
  readonly refusedGrowth: number;
  readonly watches: number;
  readonly watchBytes: number;
  readonly sessions: number;
  /** -1 before the first. */
  readonly replyBytes: { readonly last: number; readonly min: number; readonly max: number };
  readonly pendingSyncs: number;
  /** Requests that were refused because of a limit, since the member started. */
  readonly refused: Readonly<Refusals>;
  /** Bytes that were written to clients and that they have not taken in. */
  readonly waitingOutputBytes: number;
  /** Of a member that leads; -1 before the first proposal. */
  readonly proposalBytes: { readonly last: number; readonly min: number; readonly max: number } | null;
}

/** One client's connection. */
export interface ConnectionFigures {
  readonly remoteAddress: string;
  /** 0 while it has none. */
  readonly sessionId: bigint;
  readonly timeoutMs: number;
  /** Milliseconds since 1970. */
  readonly establishedAt: number;
  readonly outstanding: number;
  readonly received: number;
  readonly sent: number;
  /** Of the last request answered: number of the operation, null before the first; its xid, and the zxid of its reply. */
  readonly lastOp: number | null;
  readonly lastXid: number;
  readonly lastZxid: bigint;
  /** Milliseconds since 1970. */
  readonly lastReplyAt: number;
  readonly latency: LatencyFigures;
}

/** Lets others look into a member that works: for whoever watches over it. */
export class Inspection {
  readonly #parts: InspectionParts;
  readonly #startedAt: number;

  constructor(parts: InspectionParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
  }

  figures(): MemberFigures {
    const { clients, pipeline, clock } = this.#parts;
    const machine = this.#parts.state.machine;
    const { traffic } = clients;
    const { leadership } = pipeline;
    let outstanding = 0;
    for (const connection of clients.connections) outstanding += connection.outstanding;
    return {
      uptimeMs: clock.now() - this.#startedAt,
      leadingMs: leadership === null ? null : clock.now() - leadership.since,
      received: traffic.received,
      sent: traffic.sent,
      latency: traffic.latency,
      outstanding,
      connections: clients.connections.size,
      znodes: machine.nodeCount,
      ephemerals: machine.ephemeralCount,
      dataBytes: machine.dataBytes,
      treeBytes: machine.treeBytes,
      maxDataBytes: this.maxDataBytes,
      refusedGrowth: leadership?.refusedGrowth ?? 0,
      watches: clients.watches.table.watchCount,
      watchBytes: clients.watches.bytes,
      sessions: machine.sessions.size,
      replyBytes: extremes(traffic.replyBytes),
      pendingSyncs: clients.syncs.length,
      refused: clients.refusals,
      waitingOutputBytes: clients.waitingBytes,
      proposalBytes: leadership === null ? null : extremes(leadership.proposalBytes),
    };
  }

  /** What all znodes may take: on a leader the least that a voter allows; null is no limit. */
  get maxDataBytes(): number | null {
    const { pipeline, options } = this.#parts;
    const bytes = pipeline.leadership?.dataLimit.bytes;
    return bytes === undefined || bytes === Infinity ? options.maxDataBytes : bytes;
  }

  connections(): readonly ConnectionFigures[] {
    const { clock } = this.#parts;
    const wallAtZero = clock.wall() - clock.now();
    return [...this.#parts.clients.connections].map((connection) => figuresOf(connection, wallAtZero));
  }

  /** The paths that each session has watches at, of whatever kind. Costs as much as there are watches. */
  watchedPaths(): ReadonlyMap<bigint, readonly string[]> {
    const { clients } = this.#parts;
    const paths = new Map<bigint, readonly string[]>();
    for (const connection of clients.connections) {
      const watched = clients.watches.table.pathsOf(connection);
      if (watched.length > 0) paths.set(connection.session.id, watched);
    }
    return paths;
  }

  /** All sessions of the ensemble with their timeouts. */
  get sessions(): ReadonlyMap<bigint, number> {
    return this.#parts.state.machine.sessions;
  }

  ephemeralsOf(sessionId: bigint): readonly string[] {
    return this.#parts.state.machine.ephemeralsOf(sessionId);
  }

  /** Counts anew what came and went in this member. */
  resetTraffic(): void {
    this.#parts.clients.traffic.reset();
    this.#parts.pipeline.leadership?.proposalBytes.reset();
  }

  /** The same for each connection. */
  resetConnections(): void {
    for (const connection of this.#parts.clients.connections) connection.account.traffic.reset();
  }
}

function extremes({ last, least, most }: Traffic['replyBytes']): {
  readonly last: number;
  readonly min: number;
  readonly max: number;
} {
  return { last, min: least, max: most };
}

function figuresOf(connection: ClientConnection, wallAtZero: number): ConnectionFigures {
  const { traffic, lastReply } = connection.account;
  return {
    remoteAddress: connection.remoteAddress,
    sessionId: connection.session.id,
    timeoutMs: connection.session.timeoutMs,
    establishedAt: Math.round(wallAtZero + connection.acceptedAt),
    outstanding: connection.outstanding,
    received: traffic.received,
    sent: traffic.sent,
    lastOp: lastReply?.op ?? null,
    lastXid: lastReply?.xid ?? 0,
    lastZxid: lastReply?.zxid ?? 0n,
    lastReplyAt: lastReply === null ? 0 : Math.round(wallAtZero + lastReply.at),
    latency: traffic.latency,
  };
}
