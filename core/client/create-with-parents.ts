import { CreateMode, OPEN_ACL, OpCode, type ClientOp } from '../protocol/index.js';
import { OutcomeUnknownError } from './client-errors.js';
import type { Created } from './client.js';
import { NoNodeError, NodeExistsError } from './errors.js';
import { parentOf } from './path.js';
import type { RequestSpec } from './pending-request.js';

type Submit = <Op extends ClientOp>(spec: RequestSpec<Op, void>) => Promise<void>;

/** An empty container may be removed again between its creation and that of its child, but not for ever. */
const MAX_ROUNDS = 5;

/**
 * Runs `create`; whenever a parent of `serverPath` is missing, creates it and those above it as containers, open to
 * everybody, and tries again.
 */
export async function createWithParents(
  create: () => Promise<Created>,
  serverPath: string,
  submit: Submit,
): Promise<Created> {
  for (let round = 1; ; round++) {
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof NoNodeError) || round === MAX_ROUNDS) throw error;
    }
    await ensureContainer(parentOf(serverPath), submit);
  }
}

/** Asks for the znode itself first: above what exists, this client may not be allowed to create anything. */
async function ensureContainer(path: string, submit: Submit): Promise<void> {
  if (path === '/') return;
  for (let round = 1; ; round++) {
    try {
      await submit(containerOf(path));
      return;
    } catch (error) {
      if (error instanceof NodeExistsError) return;
      const maySucceedNow = error instanceof NoNodeError || error instanceof OutcomeUnknownError;
      if (!maySucceedNow || round === MAX_ROUNDS) throw error;
      if (error instanceof NoNodeError) await ensureContainer(parentOf(path), submit);
    }
  }
}

function containerOf(path: string): RequestSpec<typeof OpCode.createContainer, void> {
  return {
    op: OpCode.createContainer,
    body: { path, data: null, acl: OPEN_ACL, flags: CreateMode.container, ttlMs: 0 },
    rule: 'unknown',
    operation: 'create',
    path,
    result: () => undefined,
  };
}
