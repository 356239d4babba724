import { type Acl, MarshallingError } from '../protocol/index.js';
import type { InternedAcl } from './acl-cache.js';
import type { EnsembleIdentity } from './ensemble-identity.js';
import { MachineState } from './machine-state.js';
import { parentOf } from './path.js';
import { type SnapshotContent, SnapshotRecords } from './snapshot-records.js';
import { StateMachine } from './state-machine.js';
import type { Znode } from './znode.js';

/**
 * Rebuilds a machine from a snapshot's bytes, fed in pieces of any size. `push` and `finish` throw
 * `MarshallingError` on bytes that are no snapshot, or not all of one; the reader is of no use afterwards.
 */
export class SnapshotReader {
  readonly #content = new MachineContent();
  readonly #records = new SnapshotRecords(this.#content);

  push(bytes: Uint8Array): void {
    this.#records.push(bytes);
  }

  /** The machine, once counts and digest are found to be those that the writer had. */
  finish(): StateMachine {
    const closing = this.#records.end();
    const { tree, sessions, digest } = this.#content.state;
    if (tree.size !== closing.nodeCount || sessions.all.size !== closing.sessionCount) {
      throw new MarshallingError(
        `a snapshot with ${tree.size} of ${closing.nodeCount} znodes and ${sessions.all.size} of ${closing.sessionCount} sessions`,
      );
    }
    this.#content.orderChildren();
    this.#content.restoreQuotas();
    if (digest.value !== closing.digest) {
      throw new MarshallingError(
        `a snapshot whose digest is ${digest.value.toString(16)}, not ${closing.digest.toString(16)}`,
      );
    }
    return new StateMachine(this.#content.state);
  }
}

/** Puts what a snapshot holds in its place in a new state. */
class MachineContent implements SnapshotContent {
  readonly state = new MachineState();
  readonly #acls: (readonly Acl[])[] = [];
  readonly #quotas: { readonly path: string; readonly count: number; readonly bytes: number }[] = [];
  /** Znodes that came before their parent, by its path. */
  readonly #waiting = new Map<string, Znode[]>();
  /** Znodes whose children did not come in the order in which they were created. */
  readonly #unordered = new Set<Znode>();
  /** The newest znode whose child came: children mostly come one behind the other. */
  #lastParent: Znode | undefined;

  opened(zxid: bigint, lastTime: number): void {
    this.state.lastZxid = zxid;
    this.state.lastTime = lastTime;
  }

  identity(identity: EnsembleIdentity): void {
    this.state.identify(identity);
  }

  session(sessionId: bigint, timeoutMs: number): void {
    this.state.sessions.add(sessionId, timeoutMs);
  }

  quota(path: string, usage: { readonly count: number; readonly bytes: number }): void {
    this.#quotas.push({ path, ...usage });
  }

  acl(list: readonly Acl[]): void {
    this.#acls.push(list);
  }

  aclFor(number: number): InternedAcl | undefined {
    const list = this.#acls[number];
    return list === undefined ? undefined : this.state.tree.acls.acquire(list);
  }

  node(first: Znode): void {
    const { tree } = this.state;
    const ready = [first];
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      const parentPath = parentOf(node.path);
      const parent = node.path === '/' ? null : this.#parentAt(parentPath);
      if (parent === undefined) {
        const siblings = this.#waiting.get(parentPath);
        if (siblings === undefined) this.#waiting.set(parentPath, [node]);
        else siblings.push(node);
        continue;
      }
      const countBefore = tree.size;
      const elder = parent?.lastChild ?? null;
      if (elder !== null && elder.czxid > node.czxid) this.#unordered.add(parent!);
      tree.insert(node, parent);
      if (tree.size === countBefore) throw new MarshallingError(`${node.path} twice in a snapshot`);
      const children = this.#waiting.get(node.path);
      if (children === undefined) continue;
      this.#waiting.delete(node.path);
      for (const child of children) ready.push(child);
    }
  }

  /** Lists of children go by that order. */
  orderChildren(): void {
    for (const parent of this.#unordered) parent.sortChildren();
  }

  restoreQuotas(): void {
    for (const quota of this.#quotas) {
      if (!this.state.quotas.restore(quota.path, quota))
        throw new MarshallingError(`no limits for ${quota.path}`);
    }
  }

  #parentAt(path: string): Znode | undefined {
    if (this.#lastParent?.path !== path) this.#lastParent = this.state.tree.find(path);
    return this.#lastParent;
  }
}
