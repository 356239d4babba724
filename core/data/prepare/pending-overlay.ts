import type { Acl } from '../../protocol/index.js';
import { invariant } from '../invariant.js';
import type { MachineState } from '../machine-state.js';
import { parentOf } from '../path.js';
import { ephemeralOwnerOf, ttlMsOf } from '../stored-owner.js';
import type { CreateOutcome } from '../transaction.js';
import type { NodeState } from '../znode.js';
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
  zxid = 0n;
  time = 0;
  readonly #state: MachineState;
  readonly #nodes: PendingLayers<string, PendingNode>;
  /** Proposed ephemerals by session. */
  readonly #ephemerals = new Map<bigint, Set<string>>();

  constructor(state: MachineState, isQuotaEnforced: boolean) {
    this.#state = state;
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
    return this.#state.tree.find(path) ?? null;
  }

  create({ path, data, acl, storedOwner, parentCreates }: CreateOutcome): void {
    const parent = this.#edit(parentOf(path));
    parent.creates = parentCreates;
    parent.numChildren++;
    const node = new PendingNode(this.zxid);
    node.mtime = this.time;
    node.dataLength = data === null ? 0 : data.length;
    node.acl = acl;
    if (storedOwner !== 0n) {
      node.ephemeralOwner = ephemeralOwnerOf(storedOwner);
      node.ttlMs = ttlMsOf(storedOwner);
    }
    this.#nodes.put(path, node);
    this.quotas.created(path, data, this.zxid);
  }

  delete(path: string): void {
    this.quotas.deleting(path, this.find(path)?.dataLength ?? 0, this.zxid);
    this.#edit(parentOf(path)).numChildren--;
    const gone = new PendingNode(this.zxid);
    gone.exists = false;
    this.#nodes.put(path, gone);
  }

  setData(path: string, data: Uint8Array | null, version: number): void {
    const node = this.#edit(path);
    const lengthBefore = node.dataLength;
    node.dataLength = data === null ? 0 : data.length;
    node.version = version;
    node.mtime = this.time;
    this.quotas.dataSet(path, data, node.dataLength - lengthBefore, this.zxid);
  }

  setAcl(path: string, acl: readonly Acl[], aversion: number): void {
    const node = this.#edit(path);
    node.acl = acl;
    node.aversion = aversion;
  }

  /** Everything that the session will own, in ascending order. */
  ephemeralsOf(sessionId: bigint): string[] {
    const paths = new Set(this.#ephemerals.get(sessionId));
    for (const { path } of this.#state.tree.ephemeralsOf(sessionId)) paths.add(path);
    return [...paths].filter((path) => this.find(path)?.ephemeralOwner === sessionId).sort();
  }

  /** What follows is only tried out, until `succeed` or `fail`. */
  attempt(): void {
    this.#nodes.attempt();
    this.quotas.layers.attempt();
  }

  succeed(): void {
    this.#nodes.succeed();
    this.quotas.layers.succeed();
  }

  fail(): void {
    this.#nodes.fail();
    this.quotas.layers.fail();
  }

  applied(zxid: bigint): void {
    this.#nodes.applied(zxid);
    this.sessions.applied(zxid);
    this.quotas.layers.applied(zxid);
  }

  /** The znode's entry in the upper layer, put there if it is not yet, for the present transaction to change. */
  #edit(path: string): PendingNode {
    let own = this.#nodes.findOwn(path);
    if (own === undefined) {
      const below = this.find(path);
      invariant(below !== null, `${path} is to be changed but is not there`);
      own = PendingNode.copyOf(below, this.zxid);
    }
    own.zxid = this.zxid;
    this.#nodes.put(path, own);
    return own;
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
