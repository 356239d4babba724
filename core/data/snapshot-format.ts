/**
 * A snapshot is a row of records, each behind its length: the opening, the identity of the ensemble if it has one, sessions, quotas, then znodes in any
 * order, each ACL before the first znode that has it, and the closing with the counts and the digest.
 */
export const SNAPSHOT_MAGIC = 0x51534e50;
export const SNAPSHOT_VERSION = 1;

export const RecordKind = {
  opening: 1,
  session: 2,
  quota: 3,
  acl: 4,
  node: 5,
  closing: 6,
  identity: 7,
} as const;
