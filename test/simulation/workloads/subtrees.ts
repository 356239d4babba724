import { NoNodeError } from '../../../core/client/index.js';
import type { Actor, Attempt } from '../actor.js';
import {
  ModelZnode,
  type SubtreeOperation,
  type SubtreeResult,
  type ZnodeState,
} from '../checkers/subtree-model.js';

const MOST_AT_ONCE = 8;

/**
 * Each client writes znodes of its own, which nobody else touches, and compares every reply with a naive model. The first znode
 * is created once and never changed: whatever happens, it is there until the end.
 */
export async function subtrees(actor: Actor): Promise<void> {
  const next = (): ModelZnode => {
    const znode = new ModelZnode(`/own-${actor.name}-${actor.subtree.length}`);
    actor.subtree.push(znode);
    return znode;
  };
  const kept = next();
  await send(actor, kept, { type: 'create', data: actor.value() });
  let znode = next();
  while (!actor.isOver) {
    if (!znode.isSure) znode = next();
    await Promise.all(burst(actor).map((operation) => send(actor, znode, operation)));
    if (kept.isSure && actor.chance(0.3)) await send(actor, kept, { type: 'get' });
    await actor.think();
  }
}

/** Some writes and behind them some reads, sent without waiting for replies. */
function burst(actor: Actor): readonly SubtreeOperation[] {
  const writes = Math.floor(actor.random.next() * MOST_AT_ONCE);
  const reads = Math.floor(actor.random.next() * 3);
  const write = (): SubtreeOperation => {
    const type = actor.pick(['create', 'set', 'set', 'set', 'stale', 'delete'] as const);
    if (type === 'delete') return { type };
    if (type === 'stale') return { type: 'set', data: actor.value(), version: 1000 };
    return { type, data: actor.value() };
  };
  return [
    ...Array.from({ length: writes }, write),
    ...Array.from({ length: reads }, (): SubtreeOperation => ({ type: 'get' })),
  ];
}

async function send(actor: Actor, znode: ModelZnode, operation: SubtreeOperation): Promise<void> {
  const answered = znode.sent(operation);
  const attempt = await actor.attempt(`${operation.type} ${znode.path}`, () =>
    carryOut(actor, znode.path, operation),
  );
  actor.world.referee.watch(() => answered(resultOf(attempt)));
}

async function carryOut({ client }: Actor, path: string, operation: SubtreeOperation): Promise<ZnodeState> {
  switch (operation.type) {
    case 'create': {
      const { stat } = await client.create(path, operation.data);
      return { data: operation.data, version: stat.version };
    }
    case 'set': {
      const { data, version = -1 } = operation;
      const stat = await client.setData(path, data, { version });
      return { data, version: stat.version };
    }
    case 'delete':
      await client.delete(path);
      return null;
    default:
      return await readZnode({ client }, path);
  }
}

/** What the znode holds; null if it is not there. */
export async function readZnode({ client }: Pick<Actor, 'client'>, path: string): Promise<ZnodeState> {
  try {
    const { data, stat } = await client.getData(path);
    return { data: new TextDecoder().decode(data ?? undefined), version: stat.version };
  } catch (error) {
    if (error instanceof NoNodeError) return null;
    throw error;
  }
}

function resultOf(attempt: Attempt<ZnodeState>): SubtreeResult {
  if (attempt.type === 'done') return { type: 'done', state: attempt.value };
  return { type: attempt.type === 'refused' ? 'refused' : 'unsure' };
}
