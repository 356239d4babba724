/** Versions of the peer protocol that a member speaks, both included. */
export interface ProtocolVersions {
  readonly oldest: number;
  readonly newest: number;
}

/** Version 1 was that of 0.1.0, whose members run in no ensemble with later ones. */
const FIRST_MIXED_VERSION = 2;

/**
 * Version of the peer messages and of the handshake before them. Version 3 has the ids of ensemble and directory in the handshake. Raise it by one with the first change after a release, and keep
 * reading and writing the messages of the version before: `message-codec.ts` gets the version of each link.
 */
const NEWEST_VERSION = 3;

/** What a member speaks whose newest version is `newest`: that one, and the one before. */
export function spokenVersions(newest: number): ProtocolVersions {
  return { oldest: Math.max(FIRST_MIXED_VERSION, newest - 1), newest };
}

/** What this version of Quorate speaks. */
export const PEER_PROTOCOL = spokenVersions(NEWEST_VERSION);

/** The newest version that both speak; null if there is none. */
export function commonVersion(one: ProtocolVersions, other: ProtocolVersions): number | null {
  const version = Math.min(one.newest, other.newest);
  return version >= Math.max(one.oldest, other.oldest) ? version : null;
}

/** For messages: `2`, or `2 and 3`. */
export function versionsText({ oldest, newest }: ProtocolVersions): string {
  return oldest === newest ? `${newest}` : `${oldest} and ${newest}`;
}
