import type { DigestPoint } from '../../../data/index.js';

const STAMP_BYTES = 8;
const HEAD_BYTES = STAMP_BYTES + 8;
const POINT_BYTES = 16;

/** What the leader's heartbeats carry for the service of clients. */
export interface Heartbeat {
  /** The leader's own clock, in milliseconds; a learner sends it back with its reports. */
  readonly stamp: number;
  /** Voters that count and are up to date, the leader among them. */
  readonly countedVoters: number;
  /** Digests of the leader's state, which learners compare with their own. */
  readonly points: readonly DigestPoint[];
}

/** Big endian: the stamp and the number of voters as doubles, then a zxid and a digest for each point. */
export function encodeHeartbeat({ stamp, countedVoters, points }: Heartbeat): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + points.length * POINT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, stamp);
  view.setFloat64(STAMP_BYTES, countedVoters);
  for (const [index, { zxid, digest }] of points.entries()) {
    view.setBigUint64(HEAD_BYTES + index * POINT_BYTES, zxid);
    view.setBigUint64(HEAD_BYTES + index * POINT_BYTES + 8, digest);
  }
  return bytes;
}

/** Null if these bytes are no heartbeat. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | null {
  const rest = bytes.length - HEAD_BYTES;
  if (rest < 0 || rest % POINT_BYTES !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const points: DigestPoint[] = [];
  for (let at = HEAD_BYTES; at < bytes.length; at += POINT_BYTES)
    points.push({ zxid: view.getBigUint64(at), digest: view.getBigUint64(at + 8) });
  return { stamp: view.getFloat64(0), countedVoters: view.getFloat64(STAMP_BYTES), points };
}
