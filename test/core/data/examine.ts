/** Looks at a whole machine from outside: as plain values to compare, and for whether it hangs together. */
import * as assert from 'uvu/assert';
import type { StateMachine } from '../../../core/data/index.js';
import { lanes, StateDigest } from '../../../core/data/digest.js';
import { QUOTA_ROOT } from '../../../core/data/quota.js';
import { CONTAINER_TTL } from '../../../core/data/stored-owner.js';
import { childNames, type Znode } from '../../../core/data/znode.js';
import type { NaiveModel } from './naive-model.js';

/** Everything replicated, as text: equal if and only if the states are. */
export function describe({ state }: StateMachine): string[] {
  const nodes = [...state.tree.values()].map((node) =>
    line(node.path, node.data, node.acl, node.stat(), node.creates, node.ttlMs),
  );
  const sessions = [...state.sessions.all].map(([id, timeoutMs]) => `session ${id} ${timeoutMs}`);
  return [...nodes, ...sessions].sort();
}

export function describeModel(model: NaiveModel): string[] {
  const nodes = [...model.nodes].map(([path, node]) => {
    const ttlMs = node.kind === 'plain' ? 0 : node.kind === 'container' ? CONTAINER_TTL : node.kind.ttlMs;
    return line(path, node.data, node.acl, model.stat(path), node.creates, ttlMs);
  });
  const sessions = [...model.sessions].map(([id, timeoutMs]) => `session ${id} ${timeoutMs}`);
  return [...nodes, ...sessions].sort();
}

function line(path: string, data: Uint8Array | null, ...rest: readonly unknown[]): string {
  const shown = data === null ? 'null' : Buffer.from(data).toString('latin1');
  return `${path} ${shown} ${JSON.stringify(rest, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}`;
}

/** Parents, children, indexes, counters and digest fit each other. */
export function assertWellFormed({ state }: StateMachine): void {
  const nodes = [...state.tree.values()];
  const digest = new StateDigest();
  for (const node of nodes) {
    assert.is(state.tree.find(node.path), node);
    if (node.path !== '/')
      assert.is(node.parent, state.tree.find(parent(node.path)), `parent of ${node.path}`);
    const children = nodes.filter((other) => other.parent === node);
    assert.is(node.numChildren, children.length, `numChildren of ${node.path}`);
    assert.equal(childNames(node), children.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)).sort());
    assertLinked(node);
    if (node.ephemeralOwner !== 0n) {
      assert.is(children.length, 0, `children under the ephemeral ${node.path}`);
      assert.ok(state.sessions.all.has(node.ephemeralOwner), `${node.path} has an owner that is no session`);
      assert.ok(state.tree.ephemeralsOf(node.ephemeralOwner).has(node), `${node.path} is not in the index`);
    }
    node.rehashBody();
    node.hash();
    digest.add();
  }
  for (const [id, timeoutMs] of state.sessions.all) {
    lanes.start();
    lanes.long(id);
    lanes.int(timeoutMs);
    lanes.finish();
    digest.add();
  }
  assert.is(state.tree.ephemeralCount, nodes.filter((node) => node.ephemeralOwner !== 0n).length);
  assert.equal(
    [...state.tree.expirable()].map(pathOf).sort(),
    nodes
      .filter((node) => node.ttlMs !== 0)
      .map(pathOf)
      .sort(),
  );
  assert.is(
    state.tree.dataBytes,
    nodes.reduce((sum, node) => sum + node.dataLength, 0),
  );
  assert.is(state.tree.acls.size, new Set(nodes.map((node) => node.interned)).size);
  for (const node of nodes) {
    assert.is(node.interned.references, nodes.filter((other) => other.interned === node.interned).length);
  }
  assertQuotas(state, nodes);
  assert.is(state.digest.value, digest.value, 'the rolling digest is not that of the whole state');
}

function assertQuotas(state: StateMachine['state'], nodes: readonly Znode[]): void {
  for (const [top, quota] of state.quotas.quotas) {
    const inside = nodes.filter(({ path }) => path === top || path.startsWith(top + '/'));
    assert.ok(state.tree.find(`${QUOTA_ROOT}${top}/zookeeper_limits`) !== undefined, `limits of ${top}`);
    assert.is(quota.count, inside.length, `count of ${top}`);
    assert.is(
      quota.bytes,
      inside.reduce((sum, node) => sum + node.dataLength, 0),
      `bytes of ${top}`,
    );
  }
}

function assertLinked(node: Znode): void {
  let last: Znode | null = null;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    assert.is(child.previousSibling, last);
    last = child;
  }
  assert.is(node.lastChild, last);
}

const pathOf = ({ path }: Znode): string => path;
const parent = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
