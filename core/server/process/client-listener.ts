import type { Id } from '../../protocol/index.js';
import type { Clock, Logger } from '../../runtime/index.js';
import type { Connection } from '../../transport/index.js';
import type { ServerTls, SocketBudget } from '../../transport/listener.js';
import type { EnsembleMember, ServerOptions } from '../configuration/index.js';
import type { Inspection, MemberHealth } from '../member/index.js';
import type { BackupStatus } from './backups/scheduled-backups.js';

/** Another way for clients to come to a member that is served. */
export interface ClientListener {
  /**
   * Begins to take connections in, and says where: an address for clients, with its scheme. Rejects with a `QuorateError`
   * of code `LISTEN_FAILED`. Called once, while the member may still be reading its disk.
   */
  listen(host: ListenerHost): Promise<string>;
  /** Takes no more connections; those that exist stay. Idempotent. */
  stop(): void;
  /** Ends every connection that is left and frees the port. Idempotent, and called also if `listen` was not, or failed. */
  close(): Promise<void>;
}

/** The member, as its listeners see it. */
export interface ListenerHost {
  readonly options: ServerOptions;
  /** Where to listen unless the listener was told. */
  readonly host: string;
  /** Shared by all listeners; a socket that it has no room for is destroyed before a byte of it is read. */
  readonly sockets: SocketBudget;
  /** Sockets of one remote address that may be open at once; `Infinity` if nothing limits it. */
  readonly maxConnectionsPerAddress: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** All members, if there are others than this one. */
  readonly ensemble: readonly EnsembleMember[];
  /** Certificates of the member, for listeners that have none of their own; null without TLS. */
  readonly tls: ServerTls | null;
  /** Refuse clients without a certificate, if `tls` has authorities. */
  readonly requiresCertificate: boolean;
  /** Data directory of the member. */
  readonly data: string;
  health(): MemberHealth & { readonly backup?: BackupStatus | null };
  /** Null while the member reads its disk. */
  inspection(): Inspection | null;
  /** Takes a client's connection; ends it if the member does not serve. `identities`: who the client has proved to be already. */
  accept(connection: Connection, identities?: readonly Id[]): void;
}
