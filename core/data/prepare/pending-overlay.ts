import type { Acl } from '../../protocol/index.js';
import { invariant } from '../invariant.js';
import type { MachineState } from '../machine-state.js';
import { parentOf } from '../path.js';
import { ephemeralOwnerOf, ttlMsOf } from '../stored-owner.js';
import type { CreateOutcome } from '../transaction.js';
import type { NodeState } from '../znode.js';
import { znodeBytes } from '../data-tree.js';
import { PendingGrowth } from './pending-growth.js';
import { PendingLayers } from './pending-layers.js';
import { PendingNode } from './pending-node.js';
import { PendingQuotas } from './pending-quotas.js';
import { PendingSessions } from './pending-sessions.js';

/**
 * The state as it will be when everything proposed so far is applied: what requests are prepared against. A znode is
 * looked up here first, then in the applied tree. `zxid` and `time` are those of the transaction being prepared.
 */
export class PendingOverlay {
  readonly sessions: PendingSessions;
  readonly quotas: PendingQuotas;
  readonly growth: PendingGrowth;
  zxid = 0n;
  time = 0;
  readonly #state: MachineState;
  readonly #nodes: PendingLayers<string, PendingNode>;
  /** Proposed ephemerals by session. */
  readonly #ephemerals = new Map<bigint, Set<string>>();

  constructor(state: MachineState, isQuotaEnforced: boolean, maxTreeBytes = Infinity) {
    this.#state = state;
    this.growth = new PendingGrowth(state.tree, maxTreeBytes);
    this.#nodes = new PendingLayers((path, before, after) => this.#indexEphemeral(path, before, after));
    this.sessions = new PendingSessions(state.sessions);
    this.quotas = new PendingQuotas(state, this.#nodes, isQuotaEnforced);
  }

  /** Znodes, sessions and quotas that something proposed will change. */
  get size(): number {
    return this.#nodes.size + this.sessions.size + this.quotas.layers.size;
  }

  /** Null if there will be no such znode. */
  find(path: string): NodeState | null {
    const pending = this.#nodes.find(path);
    if (pending !== undefined) return pending.exists ? pending : null;
    const { tree, configuration } = this.#state;
    const node = tree.find(path);
    if (node === undefined || !configuration.isShownAt(node)) return node ?? null;
    const shown = PendingNode.copyOf(node, this.zxid);
    shown.version = configuration.versionOf(node);
    return shown;
  }

  /** `parent` is what was just found at its path, as `node` is for the other changes. */
  create(
    { path, data, acl, storedOwner, parentCreates }: CreateOutcome,
    parentPath: string,
    parent: NodeState,
  ): void {
    const pendingParent = this.#edit(parentPath, parent);
    pendingParent.creates = parentCreates;
    pendingParent.numChildren++;
    const node = new PendingNode(this.zxid);
    node.mtime = this.time;
    node.dataLength = data === null ? 0 : data.length;
    node.acl = acl;
    if (storedOwner !== 0n) {
      node.ephemeralOwner = ephemeralOwnerOf(storedOwner);
      node.ttlMs = ttlMsOf(storedOwner);
    }
    this.#nodes.put(path, node);
    this.growth.add(znodeBytes(path, node.dataLength));
    this.quotas.created(path, data, this.zxid);
  }

  delete(path: string, node: NodeState, parent: NodeState): void {
    this.growth.add(-znodeBytes(path, node.dataLength));
    this.quotas.deleting(path, node.dataLength, this.zxid);
    this.#edit(parentOf(path), parent).numChildren--;
    const gone = new PendingNode(this.zxid);
    gone.exists = false;
    this.#nodes.put(path, gone);
  }

  setData(path: string, node: NodeState, data: Uint8Array | null, version: number): void {
    const pending = this.#edit(path, node);
    const lengthBefore = pending.dataLength;
    pending.dataLength = data === null ? 0 : data.length;
    const growth = pending.dataLength - lengthBefore;
    this.growth.add(growth);
    pending.version = version;
    pending.mtime = this.time;
    this.quotas.dataSet(path, data, growth, this.zxid);
  }

  setAcl(path: string, node: NodeState, acl: readonly Acl[], aversion: number): void {
    const pending = this.#edit(path, node);
    pending.acl = acl;
    pending.aversion = aversion;
  }

  /** Deletes everything that the session will own, and returns the paths in ascending order. */
  deleteEphemeralsOf(sessionId: bigint): string[] {
    const candidates = new Set(this.#ephemerals.get(sessionId));
    for (const { path } of this.#state.tree.ephemeralsOf(sessionId)) candidates.add(path);
    const paths: string[] = [];
    for (const path of [...candidates].sort()) {
      const node = this.find(path);
      if (node === null || node.ephemeralOwner !== sessionId) continue;
      const parent = this.find(parentOf(path));
      invariant(parent !== null, `${path} is pending without its parent`);
      this.delete(path, node, parent);
      paths.push(path);
    }
    return paths;
  }

  /** What follows is only tried out, until `succeed` or `fail`. */
  attempt(): void {
    this.#nodes.attempt();
    this.quotas.layers.attempt();
    this.growth.attempt();
  }

  succeed(): void {
    this.#nodes.succeed();
    this.quotas.layers.succeed();
  }

  fail(): void {
    this.#nodes.fail();
    this.quotas.layers.fail();
    this.growth.fail();
  }

  applied(zxid: bigint): void {
    this.#nodes.applied(zxid);
    this.sessions.applied(zxid);
    this.quotas.layers.applied(zxid);
    this.growth.applied(zxid);
  }

  /** The znode's entry in the upper layer, put there if it is not yet, for the present transaction to change. */
  #edit(path: string, present: NodeState): PendingNode {
    const own = this.#nodes.findOwn(path);
    if (own !== undefined) {
      own.zxid = this.zxid;
      this.#nodes.changed(path, own);
      return own;
    }
    const copy = PendingNode.copyOf(present, this.zxid);
    this.#nodes.put(path, copy);
    return copy;
  }

  #indexEphemeral(path: string, before: PendingNode | undefined, after: PendingNode | undefined): void {
    const from = before?.ephemeralOwner ?? 0n;
    const to = after?.ephemeralOwner ?? 0n;
    if (from === to) return;
    if (from !== 0n) {
      const paths = this.#ephemerals.get(from);
      paths?.delete(path);
      if (paths?.size === 0) this.#ephemerals.delete(from);
    }
    if (to === 0n) return;
    const paths = this.#ephemerals.get(to);
    if (paths === undefined) this.#ephemerals.set(to, new Set([path]));
    else paths.add(path);
  }
}
