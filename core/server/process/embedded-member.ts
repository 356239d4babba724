import type { Clock, Logger, Random } from '../../runtime/index.js';
import { FileStorage, type Disk } from '../../storage/index.js';
import type { MemoryListener, MemoryNetwork } from '../../transport/index.js';
import type { EnsembleMember, ServerOptions } from '../configuration/index.js';
import { Member } from '../member/index.js';

export interface EmbeddedMemberParts {
  readonly disk: Disk;
  readonly segmentBytes: number | undefined;
  readonly network: MemoryNetwork;
  /** Where clients reach the member in that network; other members reach it at `peerAddress` of it. */
  readonly address: string;
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly options: Partial<ServerOptions>;
  /** All members; undefined for one that stands alone. */
  readonly members?: readonly EnsembleMember[] | undefined;
}

/** A member and its place in a network of this process. */
export interface EmbeddedMember {
  readonly member: Member;
  readonly address: string;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Where the members at `address` take each other's links. */
export function peerAddress(address: string): string {
  return `${address}/peer`;
}

/** Resolves when the member takes part. */
export async function startEmbeddedMember(parts: EmbeddedMemberParts): Promise<EmbeddedMember> {
  const { disk, segmentBytes, network, address, members, secret, clock, random, logger, options } = parts;
  const canRejoin = members !== undefined && members.length > 1;
  const storage = await FileStorage.open({ disk, canRejoin, logger, random, segmentBytes });
  const dialer = network.dialer(address);
  const ensemble = members === undefined ? {} : { ensemble: { members, dialer } };
  const member = await Member.start({ storage, clock, random, logger, secret, options, ...ensemble });
  const listeners: MemoryListener[] = [];
  try {
    listeners.push(network.listen(address, (connection) => member.accept(connection)));
    listeners.push(network.listen(peerAddress(address), (connection) => member.acceptPeer(connection)));
  } catch (error) {
    for (const listener of listeners) listener.close();
    await member.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    for (const listener of listeners) listener.close();
    await member.close();
  };
  return { member, address, close };
}
