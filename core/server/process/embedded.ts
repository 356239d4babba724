import { join } from 'node:path';
import {
  checkOptions,
  SystemClock,
  SystemRandom,
  warningLogger,
  type Clock,
  type Logger,
  type Random,
} from '../../runtime/index.js';
import { MemoryDisk, NodeDisk, type Disk } from '../../storage/index.js';
import { MemoryNetwork, type Dialer } from '../../transport/index.js';
import {
  ConfigurationError,
  type EnsembleMember,
  memberSecret,
  SECRET_BYTES,
  type ServerOptions,
} from '../configuration/index.js';
import type { Member } from '../member/index.js';
import { EMBEDDED_OPTIONS } from './option-names.js';
import { peerAddress, startEmbeddedMember, type EmbeddedMember } from './embedded-member.js';

export interface EmbeddedOptions extends Partial<ServerOptions> {
  /** How many members with a vote, 1 to 9. Default 1. */
  readonly members?: number;
  /** Data directory; with several members it holds one for each. Without it everything is kept in memory, and gone with the process. */
  readonly data?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: warnings and errors to standard error; `silentLogger` for nothing. */
  readonly logger?: Logger;
  /** In place of `data`, for one member: a disk of the caller's, which outlives it. */
  readonly disk?: Disk;
  /** Session secret for a `disk`, so that sessions can be resumed after a restart. Default: a new one. */
  readonly secret?: Uint8Array;
  /** A network of the caller's. Default: one of its own. */
  readonly network?: MemoryNetwork;
  /** Where the member listens in that network; with several, the first part of their names. Default `embedded`. */
  readonly address?: string;
}

/** The log in memory grows in pieces of this size. */
const MEMORY_SEGMENT_BYTES = 4 * 1024 * 1024;
const MOST_MEMBERS = 9;
const DEFAULT_PORT = 7300;

/** One member or several inside this process, reached without a socket. */
export class Embedded implements AsyncDisposable {
  /** Connects to the members; `url`, or any of `addresses`, is what it has to be given. */
  readonly dialer: Dialer;
  readonly members: readonly Member[];
  /** Where each of `members` listens. */
  readonly addresses: readonly string[];
  readonly #parts: readonly EmbeddedMember[];

  private constructor(parts: readonly EmbeddedMember[], network: MemoryNetwork) {
    this.#parts = parts;
    this.dialer = network;
    this.members = parts.map(({ member }) => member);
    this.addresses = parts.map(({ address }) => address);
  }

  /** The first member. */
  get member(): Member {
    return this.members[0]!;
  }

  get address(): string {
    return this.addresses[0]!;
  }

  /** A connect string that names all members, for a client with `dialer`. */
  get url(): string {
    return this.addresses.join(',');
  }

  /** Resolves when clients are welcome at every member. Rejects as `serve` does. */
  static async start(options: EmbeddedOptions = {}): Promise<Embedded> {
    checkOptions('Embedded.start', options, EMBEDDED_OPTIONS);
    const count = options.members ?? 1;
    if (!Number.isInteger(count) || count < 1 || count > MOST_MEMBERS) {
      throw new ConfigurationError('members', `${count} is not allowed`, `Give 1 to ${MOST_MEMBERS}.`);
    }
    const started: EmbeddedMember[] = [];
    try {
      return await startAll(options, count, started, (network) => new Embedded(started, network));
    } catch (error) {
      await Promise.all(started.map((part) => part.close()));
      throw error;
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Starts members one by one, noting each in `started`, and waits until all of them serve. */
async function startAll(
  options: EmbeddedOptions,
  count: number,
  started: EmbeddedMember[],
  finish: (network: MemoryNetwork) => Embedded,
): Promise<Embedded> {
  const { clock = new SystemClock(), random = new SystemRandom(), logger = warningLogger, data } = options;
  const network = options.network ?? new MemoryNetwork(clock);
  const disks: Disk[] = [];
  for (let id = 1; id <= count; id++) disks.push(await diskOf(options, count, id));
  const secret =
    data === undefined
      ? (options.secret ?? random.bytes(SECRET_BYTES))
      : await memberSecret(count === 1 ? disks[0]!.location : data, random);
  const members = disks.map((_, index) => ({ id: index + 1, address: addressOf(options, count, index + 1) }));
  const peers: readonly EnsembleMember[] = members.map(({ id, address }) => ({
    id,
    address: peerAddress(address),
  }));
  for (const { id, address } of members) {
    const part = await startEmbeddedMember({
      disk: disks[id - 1]!,
      segmentBytes: data === undefined ? MEMORY_SEGMENT_BYTES : undefined,
      network,
      address,
      secret,
      clock,
      random,
      logger,
      options: count === 1 ? options : { ...options, id },
      members: count === 1 ? undefined : peers,
    });
    started.push(part);
  }
  await Promise.all(started.map(({ member }) => member.serving()));
  return finish(network);
}

async function diskOf({ data, disk }: EmbeddedOptions, count: number, id: number): Promise<Disk> {
  if (data !== undefined) return NodeDisk.open(count === 1 ? data : join(data, `${id}`));
  if (disk === undefined) return new MemoryDisk();
  if (count === 1) return disk;
  throw new ConfigurationError('disk', 'several members cannot share one', 'Give data, or nothing, instead.');
}

/** With several members it is of a form that a connect string can list. */
function addressOf({ address = 'embedded' }: EmbeddedOptions, count: number, id: number): string {
  return count === 1 ? address : `ws://${address}-${id}:${DEFAULT_PORT}`;
}
