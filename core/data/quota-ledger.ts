import type { DataTree } from './data-tree.js';
import {
  formatUsage,
  limitsPathOf,
  parseLimits,
  pathLimitedBy,
  pathShownBy,
  type QuotaBreach,
  type QuotaLimits,
  type QuotaUsage,
  statsPathOf,
} from './quota.js';
import { nextInSubtree, type Znode } from './znode.js';

/** A subtree under a quota. Only the ledger changes one. */
export interface Quota extends QuotaUsage {
  readonly path: string;
  readonly statsPath: string;
  limits: QuotaLimits;
  count: number;
  bytes: number;
}

/**
 * What the subtrees under a quota use. A quota begins with its `zookeeper_limits` znode and ends with it. Every
 * change is charged to all quotas between the znode and the root, and the `zookeeper_stats` znode of each shows
 * its usage behind the transaction: data rewritten in place, once however many operations the transaction has, without a
 * transaction of its own and with the stat untouched.
 * The tree tells the ledger of every change; where there is no quota that costs next to nothing.
 */
export class QuotaLedger {
  readonly #tree: DataTree;
  readonly #quotas = new Map<string, Quota>();
  /** Those whose statistics do not show yet what the transaction under way has charged. */
  readonly #charged = new Set<Quota>();

  constructor(tree: DataTree) {
    this.#tree = tree;
  }

  get quotas(): ReadonlyMap<string, Quota> {
    return this.#quotas;
  }

  created(node: Znode, breaches: QuotaBreach[]): void {
    this.#charge(node, 1, node.dataLength, breaches);
    const limited = pathLimitedBy(node.path);
    if (limited !== null) this.#register(limited, node.data);
    const shown = pathShownBy(node.path);
    if (shown !== null) this.#show(shown, node);
  }

  dataSet(node: Znode, lengthBefore: number, breaches: QuotaBreach[]): void {
    this.#charge(node, 0, node.dataLength - lengthBefore, breaches);
    const limited = pathLimitedBy(node.path);
    if (limited !== null) this.#quotas.get(limited)!.limits = parseLimits(node.data);
    const shown = pathShownBy(node.path);
    if (shown !== null) this.#show(shown, node);
  }

  /** To be called while the znode is still linked in. */
  deleting(node: Znode): void {
    this.#charge(node, -1, -node.dataLength, []);
    const limited = pathLimitedBy(node.path);
    if (limited === null) return;
    // What it was charged with before is shown, as it would be by transactions of their own.
    this.settle();
    this.#quotas.delete(limited);
  }

  /** Shows in the statistics what was charged. To be called at the end of each transaction. */
  settle(): void {
    if (this.#charged.size === 0) return;
    for (const quota of this.#charged) this.#refreshStats(quota);
    this.#charged.clear();
  }

  /** Takes up a quota with the usage that a snapshot recorded; its limits are in the tree already. False if they are not. */
  restore(path: string, usage: QuotaUsage): boolean {
    const limits = this.#tree.find(limitsPathOf(path));
    if (limits === undefined) return false;
    this.#add(path, limits.data, usage);
    return true;
  }

  #register(path: string, limitsData: Uint8Array | null): void {
    const quota = this.#add(path, limitsData, this.usageOf(path));
    this.#refreshStats(quota);
  }

  #add(path: string, limitsData: Uint8Array | null, { count, bytes }: QuotaUsage): Quota {
    const quota = { path, statsPath: statsPathOf(path), limits: parseLimits(limitsData), count, bytes };
    this.#quotas.set(path, quota);
    return quota;
  }

  #show(path: string, statsNode: Znode): void {
    this.#tree.rewriteData(statsNode, formatUsage(this.#quotas.get(path) ?? this.usageOf(path)));
  }

  #charge(node: Znode, count: number, bytes: number, breaches: QuotaBreach[]): void {
    if (this.#quotas.size === 0 || (count === 0 && bytes === 0)) return;
    for (let top: Znode | null = node; top !== null; top = top.parent) {
      const quota = this.#quotas.get(top.path);
      if (quota === undefined) continue;
      quota.count += count;
      quota.bytes += bytes;
      this.#charged.add(quota);
      const { limits } = quota;
      noteBreach(breaches, quota.path, 'count', count, quota.count, limits.count);
      noteBreach(breaches, quota.path, 'bytes', bytes, quota.bytes, limits.bytes);
    }
  }

  #refreshStats(quota: Quota): void {
    const stats = this.#tree.find(quota.statsPath);
    if (stats !== undefined) this.#tree.rewriteData(stats, formatUsage(quota));
  }

  /** Counts the subtree, znode by znode: only done when a quota or its stats are created. */
  usageOf(path: string): QuotaUsage {
    const top = this.#tree.find(path);
    let count = 0;
    let bytes = 0;
    for (let node: Znode | null = top ?? null; node !== null; node = nextInSubtree(node, top!)) {
      count++;
      bytes += node.dataLength;
    }
    return { count, bytes };
  }
}

function noteBreach(
  breaches: QuotaBreach[],
  path: string,
  kind: 'count' | 'bytes',
  growth: number,
  usage: number,
  limit: number,
): void {
  if (growth > 0 && limit >= 0 && usage > limit) breaches.push({ path, kind, usage, limit });
}
