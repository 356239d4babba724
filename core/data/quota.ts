import { parentOf } from './path.js';

export const QUOTA_ROOT = '/zookeeper/quota';

/** Limits of a subtree, -1 for none. Soft ones are only reported, hard ones are enforced where that is switched on. */
export interface QuotaLimits {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

/** Znodes of a subtree, its top included, and the bytes of their data. */
export interface QuotaUsage {
  readonly count: number;
  readonly bytes: number;
}

/** A soft limit that a change left exceeded. */
export interface QuotaBreach {
  /** Top of the subtree that the quota is set on. */
  readonly path: string;
  readonly kind: 'count' | 'bytes';
  readonly usage: number;
  readonly limit: number;
}

/**
 * Most levels of a path that a quota can be set on. Each change below is charged to every quota above it, so this bounds what a change costs
 * where quotas are set on every level.
 */
const MOST_QUOTA_LEVELS = 64;

const LIMITS_NODE = '/zookeeper_limits';
const STATS_NODE = '/zookeeper_stats';

/**
 * The subtree whose quota this znode of `/zookeeper/quota` limits, or null if it does no such thing. The
 * root and the system's own znodes cannot be put under a quota.
 */
export function pathLimitedBy(path: string): string | null {
  return quotaPathOf(path, LIMITS_NODE);
}

/** The subtree whose usage this znode shows, or null. */
export function pathShownBy(path: string): string | null {
  return quotaPathOf(path, STATS_NODE);
}

/** Whether the znode would limit a subtree that lies too deep. */
export function isTooDeepForQuota(path: string): boolean {
  const limited = pathLimitedBy(path);
  if (limited === null) return false;
  let levels = 0;
  for (
    let at = limited.indexOf('/');
    at >= 0 && levels <= MOST_QUOTA_LEVELS;
    at = limited.indexOf('/', at + 1)
  )
    levels++;
  return levels > MOST_QUOTA_LEVELS;
}

export function limitsPathOf(quotaPath: string): string {
  return QUOTA_ROOT + quotaPath + LIMITS_NODE;
}

export function statsPathOf(quotaPath: string): string {
  return QUOTA_ROOT + quotaPath + STATS_NODE;
}

function quotaPathOf(path: string, node: string): string | null {
  if (!path.endsWith(node) || !path.startsWith(QUOTA_ROOT + '/')) return null;
  const quotaPath = path.slice(QUOTA_ROOT.length, -node.length);
  const isSystem = quotaPath === '/zookeeper' || quotaPath.startsWith('/zookeeper/');
  return quotaPath === '' || isSystem ? null : quotaPath;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Reads `count=5,bytes=10=;byteHardLimit=20;countHardLimit=7`, the form that ZooKeeper's shell writes; what
 * is missing or no number counts as no limit.
 */
export function parseLimits(data: Uint8Array | null): QuotaLimits {
  const values = new Map<string, number>();
  for (const pair of decoder.decode(data ?? undefined).split(/[,;]/)) {
    const [key, value] = pair.split('=');
    if (key !== undefined && value !== undefined && /^-?\d{1,15}$/.test(value)) {
      values.set(key, Number(value));
    }
  }
  return {
    count: values.get('count') ?? -1,
    bytes: values.get('bytes') ?? -1,
    countHardLimit: values.get('countHardLimit') ?? -1,
    byteHardLimit: values.get('byteHardLimit') ?? -1,
  };
}

export function formatUsage({ count, bytes }: QuotaUsage): Uint8Array {
  return encoder.encode(`count=${count},bytes=${bytes}`);
}

/** The path and those of everything above it, the root left out: where the quotas of a znode can be set. */
export function* quotaCandidates(path: string): Generator<string> {
  for (let above = path; above !== '/'; above = parentOf(above)) yield above;
}
