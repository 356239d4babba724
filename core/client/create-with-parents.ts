import { CreateMode, OpCode, type Acl, type ClientOp } from '../protocol/index.js';
import { OutcomeUnknownError } from './client-errors.js';
import type { Created } from './client.js';
import { NoNodeError, NodeExistsError } from './errors.js';
import { parentOf } from './path.js';
import type { RequestSpec } from './pending-request.js';

type Submit = <Op extends ClientOp>(spec: RequestSpec<Op, void>) => Promise<void>;

/** An empty container may be removed again between its creation and that of its child, but not for ever. */
const MAX_ROUNDS = 5;

/** A znode as servers see it, and the ACL of those parents of it that have to be created. */
interface Descendant {
  readonly path: string;
  readonly acl: readonly Acl[];
}

/**
 * Runs `create`; whenever a parent of the znode is missing, creates it and those above it as containers, and tries again.
 */
export async function createWithParents(
  create: () => Promise<Created>,
  { path, acl }: Descendant,
  submit: Submit,
): Promise<Created> {
  for (let round = 1; ; round++) {
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof NoNodeError) || round === MAX_ROUNDS) throw error;
    }
    await ensureContainer({ path: parentOf(path), acl }, submit);
  }
}

/** Asks for the znode itself first: above what exists, this client may not be allowed to create anything. */
async function ensureContainer({ path, acl }: Descendant, submit: Submit): Promise<void> {
  if (path === '/') return;
  for (let round = 1; ; round++) {
    try {
      await submit(containerOf(path, acl));
      return;
    } catch (error) {
      if (error instanceof NodeExistsError) return;
      const maySucceedNow = error instanceof NoNodeError || error instanceof OutcomeUnknownError;
      if (!maySucceedNow || round === MAX_ROUNDS) throw error;
      if (error instanceof NoNodeError) await ensureContainer({ path: parentOf(path), acl }, submit);
    }
  }
}

function containerOf(path: string, acl: readonly Acl[]): RequestSpec<typeof OpCode.createContainer, void> {
  return {
    op: OpCode.createContainer,
    body: { path, data: null, acl, flags: CreateMode.container, ttlMs: 0 },
    rule: 'unknown',
    operation: 'create',
    path,
    result: () => undefined,
  };
}
