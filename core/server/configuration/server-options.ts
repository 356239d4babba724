import { DEFAULT_MAX_REPLY_BYTES } from '../../protocol/index.js';
import { QuorateError, type OptionNames } from '../../runtime/index.js';

/** How a member behaves. Durations in milliseconds, sizes in bytes; everything has a default. */
export interface ServerOptions {
  /** This member, 1 to 254; also the first byte of every session id it gives out. Default 1. */
  readonly id: number;
  /** Granularity of session expiry and of the peers' timers. Default 500. */
  readonly tickMs: number;
  /** Ticks that a member may take to connect to a leader, and to be brought up to date, each without progress. Default 10. */
  readonly initLimit: number;
  /** Ticks of silence after which a leader and its learners give each other up. Default 5. */
  readonly syncLimit: number;
  /** What a client asks for as session timeout is brought into this range. Defaults: two ticks, and 40 000. */
  readonly minSessionMs: number;
  readonly maxSessionMs: number;
  /** Identity that passes every ACL, as `user:base64(sha1("user:password"))`. Default: nobody. */
  readonly superDigest: string | null;
  /** User of SASL or subject of a client certificate that passes every ACL, as `sasl:user` or `x509:subject`. Default: nobody. */
  readonly superUser: string | null;
  /**
   * Refuse sessions without an accepted identity, and changes of quotas by anybody but `superDigest`. The same on all members. Default
   * false.
   */
  readonly requireAuth: boolean;
  /** How often containers and TTL znodes are looked through. Default 60 000. */
  readonly containerCheckMs: number;
  /** Most znodes that one such look removes. Default 10 000. */
  readonly maxReapedPerCheck: number;
  /** Refuse what a hard quota does not allow. Default false, as in ZooKeeper. */
  readonly enforceQuota: boolean;
  /** Allow znodes with a time to live. Default true. */
  readonly ttlNodes: boolean;
  /**
   * Serve reads of what is committed here to clients that ask for it while there is no leader with a quorum. Default true.
   */
  readonly readOnly: boolean;
  /** Largest packet that a client may send, without its length field. Default 1 048 575, as in ZooKeeper. */
  readonly maxPacketBytes: number;
  /**
   * Largest reply to a read, without its length field. A read with a larger one is refused (REPLY_TOO_LARGE, on the wire -5) before
   * the reply is built. Default 64 MiB, or a packet of the largest size and its stat.
   */
  readonly maxReplyBytes: number;
  /**
   * Unsent output of all connections beyond which replies larger than `outputHighWaterBytes` are refused (THROTTLED_OP, -127), so that
   * clients that read slowly take no more memory than that. Default 256 MiB.
   */
  readonly maxTotalOutputBytes: number;
  /**
   * Largest transaction that a request may become; a larger one is refused with BADARGUMENTS. An ACL with `auth` is stored
   * with all identities of the connection, so a transaction can be larger than its request. Default four of the largest packets.
   */
  readonly maxTxnBytes: number;
  /** Within this time a connection has to have sent its connect request. Default 10 000. */
  readonly handshakeMs: number;
  /** Connections that clients may have at once. Default 20 000. */
  readonly maxConnections: number;
  /** Requests of one connection that may wait for their reply; beyond it the connection is not read. Default 1 000. */
  readonly maxOutstandingRequests: number;
  /** Proposals that may be under way in this member; beyond it no connection's writes are read. Default 20 000. */
  readonly maxProposalsInFlight: number;
  /** Bytes of transactions that may be under way in this member; beyond it no connection's writes are read. Default 32 MiB. */
  readonly maxBytesInFlight: number;
  /** Paths of one `setWatches` that are looked at before others are served. Default 2 000. */
  readonly watchPathsPerTurn: number;
  /** Committed transactions that are applied before others are served. Default 1 000. */
  readonly entriesPerTurn: number;
  /**
   * Names that a read looks at before others are served; a longer list of children or ephemeral znodes takes several turns. Default 2 000.
   */
  readonly listNamesPerTurn: number;
  /**
   * What all znodes may take in memory: paths, data, and 400 each. Beyond it the leader refuses what makes the tree larger (QUOTA_EXCEEDED,
   * -125); deletes, closing sessions and smaller values go on. The least that the leader and the voters that follow have counts. Default null: no
   * limit; `quorate serve` sets it by the heap limit of its process.
   */
  readonly maxDataBytes: number | null;
  /**
   * Bytes of the watches of one connection: their paths and 256 each, twice for a persistent one. A request that would set one more is refused
   * (WATCH_LIMIT, on the wire -125). Default 64 MiB, about 250 000 watches.
   */
  readonly maxWatchBytes: number;
  /** The same of all connections. Default 256 MiB. */
  readonly maxTotalWatchBytes: number;
  /** Unsent output of a connection beyond which its requests are not read. Default 1 MiB. */
  readonly outputHighWaterBytes: number;
  /** Unsent output beyond which a connection is cut off: it gets events and never reads. Default 64 MiB and the largest reply. */
  readonly maxOutputBytes: number;
  /**
   * A snapshot is taken after about so many transactions. Null, the default: 100 000, or as many as the last snapshot had znodes,
   * if these were more, so that a large tree is not written again and again for few changes.
   */
  readonly snapshotTxns: number | null;
  /** Or after about so many bytes of transactions. Null, the default: 256 MiB, or what those znodes held, if that was more. */
  readonly snapshotBytes: number | null;
}

export const SERVER_OPTIONS: OptionNames<ServerOptions> = {
  id: true,
  tickMs: true,
  initLimit: true,
  syncLimit: true,
  minSessionMs: true,
  maxSessionMs: true,
  superDigest: true,
  superUser: true,
  requireAuth: true,
  containerCheckMs: true,
  maxReapedPerCheck: true,
  enforceQuota: true,
  ttlNodes: true,
  readOnly: true,
  maxPacketBytes: true,
  maxReplyBytes: true,
  maxTotalOutputBytes: true,
  maxTxnBytes: true,
  handshakeMs: true,
  maxConnections: true,
  maxOutstandingRequests: true,
  maxProposalsInFlight: true,
  maxBytesInFlight: true,
  watchPathsPerTurn: true,
  entriesPerTurn: true,
  listNamesPerTurn: true,
  maxDataBytes: true,
  maxWatchBytes: true,
  maxTotalWatchBytes: true,
  outputHighWaterBytes: true,
  maxOutputBytes: true,
  snapshotTxns: true,
  snapshotBytes: true,
};

/** An option has a value that cannot be; `option` names it, the message says what would do. */
export class ConfigurationError extends QuorateError {
  readonly option: string;

  constructor(option: string, problem: string, remedy: string) {
    super('INVALID_CONFIGURATION', `Option ${option}: ${problem}. ${remedy}`, { fields: { option } });
    this.option = option;
  }
}

const MIB = 1024 * 1024;

/** Longest session timeout that fits the wire's signed 32 bits. */
const MAX_INT = 0x7fffffff;

/** Fills in the defaults. Throws `ConfigurationError` for what cannot be. */
export function resolveServerOptions(given: Partial<ServerOptions> = {}): ServerOptions {
  const id = integer('id', given.id, 1, 1, 254);
  const tickMs = integer('tickMs', given.tickMs, 500, 10, 60_000);
  const minSessionMs = integer('minSessionMs', given.minSessionMs, 2 * tickMs, tickMs, MAX_INT);
  const longest = Math.max(40_000, 20 * tickMs, minSessionMs);
  const maxPacketBytes = integer('maxPacketBytes', given.maxPacketBytes, 1_048_575, 1_024, 64 * MIB);
  const maxReplyBytes = integer(
    'maxReplyBytes',
    given.maxReplyBytes,
    Math.max(DEFAULT_MAX_REPLY_BYTES, maxPacketBytes + 1_024),
    1_024,
    1_024 * MIB,
  );
  return {
    id,
    tickMs,
    initLimit: integer('initLimit', given.initLimit, 10, 1, 10_000),
    syncLimit: integer('syncLimit', given.syncLimit, 5, 2, 10_000),
    minSessionMs,
    maxSessionMs: integer('maxSessionMs', given.maxSessionMs, longest, minSessionMs, MAX_INT),
    superDigest: digest(given.superDigest ?? null),
    superUser: superUser(given.superUser ?? null),
    requireAuth: given.requireAuth ?? false,
    containerCheckMs: integer('containerCheckMs', given.containerCheckMs, 60_000, 10, MAX_INT),
    maxReapedPerCheck: integer('maxReapedPerCheck', given.maxReapedPerCheck, 10_000, 1, 1_000_000),
    enforceQuota: given.enforceQuota ?? false,
    ttlNodes: given.ttlNodes ?? true,
    readOnly: given.readOnly ?? true,
    maxPacketBytes,
    maxReplyBytes,
    maxTotalOutputBytes: integer('maxTotalOutputBytes', given.maxTotalOutputBytes, 256 * MIB, 1, 2 ** 40),
    maxTxnBytes: integer('maxTxnBytes', given.maxTxnBytes, 4 * maxPacketBytes, maxPacketBytes, 256 * MIB),
    handshakeMs: integer('handshakeMs', given.handshakeMs, 10_000, 10, MAX_INT),
    maxConnections: integer('maxConnections', given.maxConnections, 20_000, 1, 1_000_000),
    maxOutstandingRequests: integer('maxOutstandingRequests', given.maxOutstandingRequests, 1_000, 1, 1e6),
    maxProposalsInFlight: integer('maxProposalsInFlight', given.maxProposalsInFlight, 20_000, 1, 1e6),
    maxBytesInFlight: integer('maxBytesInFlight', given.maxBytesInFlight, 32 * MIB, 1, 1_024 * MIB),
    watchPathsPerTurn: integer('watchPathsPerTurn', given.watchPathsPerTurn, 2_000, 1, 1e6),
    entriesPerTurn: integer('entriesPerTurn', given.entriesPerTurn, 1_000, 1, 1e6),
    listNamesPerTurn: integer('listNamesPerTurn', given.listNamesPerTurn, 2_000, 1, 1e6),
    maxDataBytes: optional('maxDataBytes', given.maxDataBytes, 1, 2 ** 50),
    maxWatchBytes: integer('maxWatchBytes', given.maxWatchBytes, 64 * MIB, 1, 2 ** 40),
    maxTotalWatchBytes: integer('maxTotalWatchBytes', given.maxTotalWatchBytes, 256 * MIB, 1, 2 ** 40),
    outputHighWaterBytes: integer('outputHighWaterBytes', given.outputHighWaterBytes, MIB, 1, 1_024 * MIB),
    maxOutputBytes: integer('maxOutputBytes', given.maxOutputBytes, 64 * MIB + maxReplyBytes, 1, 4_096 * MIB),
    snapshotTxns: optional('snapshotTxns', given.snapshotTxns, 2, 1e9),
    snapshotBytes: optional('snapshotBytes', given.snapshotBytes, 1_024, 2 ** 40),
  };
}

function integer(
  option: keyof ServerOptions,
  value: number | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  const chosen = value ?? fallback;
  if (Number.isInteger(chosen) && chosen >= least && chosen <= most) return chosen;
  throw new ConfigurationError(
    option,
    `${chosen} is not allowed`,
    `Give a whole number from ${least} to ${most}.`,
  );
}

function optional(
  option: keyof ServerOptions,
  value: number | null | undefined,
  least: number,
  most: number,
): number | null {
  return value === null || value === undefined ? null : integer(option, value, least, least, most);
}

function superUser(value: string | null): string | null {
  if (value === null || /^(?:sasl|x509):./.test(value)) return value;
  throw new ConfigurationError(
    'superUser',
    'the value is neither a user of SASL nor the subject of a certificate',
    'Give sasl:user, or x509:subject such as x509:CN=admin,O=Acme.',
  );
}

function digest(value: string | null): string | null {
  if (value === null || /^[^:]+:[A-Za-z0-9+/]{27}=$/.test(value)) return value;
  throw new ConfigurationError(
    'superDigest',
    'the value is not a digest identity',
    'Give user:base64(sha1("user:password")), such as super:xQJmxLMiHGwaqBvst5y6rkB6HQs=.',
  );
}
