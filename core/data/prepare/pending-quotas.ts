import type { MachineState } from '../machine-state.js';
import { parseLimits, pathLimitedBy, quotaCandidates, type QuotaLimits, type QuotaUsage } from '../quota.js';
import { PendingLayers, type Pending } from './pending-layers.js';

interface PendingQuota extends Pending, QuotaUsage {
  /** Null once the quota will be gone. */
  limits: QuotaLimits | null;
  count: number;
  bytes: number;
}

/** Pending znodes, as far as counting them needs them. */
interface PendingNodes {
  entries(): Iterable<readonly [string, { readonly exists: boolean; readonly dataLength: number }]>;
}

/**
 * Limits and usage of the quotas once everything proposed so far is applied, so that a pipeline of creates
 * cannot overshoot a hard limit. Without enforcement nobody asks, so nothing is counted; without quotas it
 * costs next to nothing.
 */
export class PendingQuotas {
  readonly layers = new PendingLayers<string, PendingQuota>();
  readonly #state: MachineState;
  readonly #nodes: PendingNodes;
  readonly #isEnforced: boolean;

  constructor(state: MachineState, nodes: PendingNodes, isEnforced: boolean) {
    this.#state = state;
    this.#nodes = nodes;
    this.#isEnforced = isEnforced;
  }

  /** False if a hard limit forbids the growth. What does not grow is never refused. */
  allows(path: string, count: number, bytes: number): boolean {
    if (!this.#isNeeded) return true;
    for (const candidate of quotaCandidates(path)) {
      const quota = this.#find(candidate);
      if (quota === undefined || quota.limits === null) continue;
      if (exceeds(count, quota.count, quota.limits.countHardLimit)) return false;
      if (exceeds(bytes, quota.bytes, quota.limits.byteHardLimit)) return false;
    }
    return true;
  }

  /** The pending znode has to be there already. */
  created(path: string, data: Uint8Array | null, zxid: bigint): void {
    if (!this.#isEnforced) return;
    this.#charge(path, 1, data === null ? 0 : data.length, zxid);
    const limited = pathLimitedBy(path);
    if (limited === null) return;
    this.layers.put(limited, { zxid, limits: parseLimits(data), ...this.#usageOf(limited) });
  }

  dataSet(path: string, data: Uint8Array | null, growth: number, zxid: bigint): void {
    if (!this.#isEnforced) return;
    this.#charge(path, 0, growth, zxid);
    const limited = pathLimitedBy(path);
    if (limited !== null) this.#edit(limited, zxid).limits = parseLimits(data);
  }

  deleting(path: string, dataLength: number, zxid: bigint): void {
    if (!this.#isEnforced) return;
    this.#charge(path, -1, -dataLength, zxid);
    const limited = pathLimitedBy(path);
    if (limited !== null) this.#edit(limited, zxid).limits = null;
  }

  get #isNeeded(): boolean {
    return this.#isEnforced && (this.#state.quotas.quotas.size > 0 || this.layers.size > 0);
  }

  #find(path: string): (QuotaUsage & { readonly limits: QuotaLimits | null }) | undefined {
    return this.layers.find(path) ?? this.#state.quotas.quotas.get(path);
  }

  #charge(path: string, count: number, bytes: number, zxid: bigint): void {
    if (!this.#isNeeded) return;
    for (const candidate of quotaCandidates(path)) {
      if (this.#find(candidate) === undefined) continue;
      const quota = this.#edit(candidate, zxid);
      quota.count += count;
      quota.bytes += bytes;
    }
  }

  #edit(path: string, zxid: bigint): PendingQuota {
    const own = this.layers.findOwn(path);
    if (own !== undefined) {
      own.zxid = zxid;
      this.layers.changed(path, own);
      return own;
    }
    const { limits = null, count = 0, bytes = 0 } = this.#find(path) ?? {};
    const copy = { zxid, limits, count, bytes };
    this.layers.put(path, copy);
    return copy;
  }

  /** The applied subtree, corrected by what is pending in it: only done when a quota is created. */
  #usageOf(quotaPath: string): QuotaUsage {
    let { count, bytes } = this.#state.quotas.usageOf(quotaPath);
    for (const [path, pending] of this.#nodes.entries()) {
      if (path !== quotaPath && !path.startsWith(quotaPath + '/')) continue;
      const applied = this.#state.tree.find(path);
      count += (pending.exists ? 1 : 0) - (applied === undefined ? 0 : 1);
      bytes += pending.dataLength - (applied?.dataLength ?? 0);
    }
    return { count, bytes };
  }
}

function exceeds(growth: number, usage: number, limit: number): boolean {
  return growth > 0 && limit >= 0 && usage + growth > limit;
}
