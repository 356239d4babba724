import {
  silentLogger,
  SystemClock,
  SystemRandom,
  type Clock,
  type Logger,
  type Random,
} from '../runtime/index.js';
import { FileStorage, MemoryDisk, NodeDisk, type Disk } from '../storage/index.js';
import { MemoryNetwork, type Dialer } from '../transport/index.js';
import { Member } from './member.js';
import { memberSecret } from './member-secret.js';
import type { ServerOptions } from './server-options.js';
import { SECRET_BYTES } from './session-service.js';

export interface EmbeddedOptions extends Partial<ServerOptions> {
  /** Data directory. Without it everything is kept in memory, and gone with the process. */
  readonly data?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** In place of `data`: a disk of the caller's, which outlives this member. */
  readonly disk?: Disk;
  /** Session secret for a `disk`, so that sessions can be resumed after a restart. Default: a new one. */
  readonly secret?: Uint8Array;
  /** A network of the caller's. Default: one of its own. */
  readonly network?: MemoryNetwork;
  /** Where the member listens in that network. Default `embedded`. */
  readonly address?: string;
}

/** The log in memory grows in pieces of this size. */
const MEMORY_SEGMENT_BYTES = 4 * 1024 * 1024;

/** A member inside this process, reached without a socket. */
export class Embedded implements AsyncDisposable {
  /** Connects to the member; `address` is what it has to be given. */
  readonly dialer: Dialer;
  readonly address: string;
  readonly member: Member;
  readonly #stopListening: () => void;

  private constructor(member: Member, network: MemoryNetwork, address: string) {
    this.member = member;
    this.dialer = network;
    this.address = address;
    const listener = network.listen(address, (connection) => member.accept(connection));
    this.#stopListening = () => listener.close();
  }

  /** Resolves when clients are welcome. */
  static async start(options: EmbeddedOptions = {}): Promise<Embedded> {
    const { clock = new SystemClock(), random = new SystemRandom(), logger = silentLogger } = options;
    const network = options.network ?? new MemoryNetwork(clock);
    const { data } = options;
    const disk = data === undefined ? (options.disk ?? new MemoryDisk()) : await NodeDisk.open(data);
    const segmentBytes = data === undefined ? MEMORY_SEGMENT_BYTES : undefined;
    const storage = await FileStorage.open({ disk, logger, random, segmentBytes });
    try {
      const secret =
        data === undefined
          ? (options.secret ?? random.bytes(SECRET_BYTES))
          : await memberSecret(disk.location, random);
      const member = await Member.start({ storage, clock, random, logger, secret, options });
      return new Embedded(member, network, options.address ?? 'embedded');
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#stopListening();
    await this.member.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
