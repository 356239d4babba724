import { OutcomeUnknownError, type Client, type Stat } from '../../client/index.js';
import { orAborted } from '../waiting/abort.js';
import {
  hasCode,
  isClosed,
  isTransient,
  pause,
  repeatIdempotentAcrossSessions,
  repeatRead,
} from '../waiting/failure.js';
import { parentOf } from './znode-name.js';

/**
 * A persistent znode that says something by being there, such as a closed barrier: raised and lowered by anybody. One call has
 * one effect at most. What became of a request in doubt is decided by what was there before it: `raiseFlag` by the last change
 * of the children of its parent, `lowerFlag` by the creation of the znode that it was to delete.
 */
interface FlagOptions {
  readonly signal?: AbortSignal | undefined;
}

interface Look {
  readonly flag: Stat | null;
  readonly parent: Stat | null;
}

/**
 * Resolves when it is there, by this call or before.
 * @throws OutcomeUnknownError if it may have been there and been lowered by another meanwhile, or may yet come.
 */
export async function raiseFlag(
  client: Client,
  path: string,
  options: FlagOptions & { readonly createParents?: boolean | undefined } = {},
): Promise<void> {
  const create = async (): Promise<void> => {
    await client.create(path, null, { signal: options.signal });
  };
  const mayRepeat = (before: Look, now: Look): boolean =>
    before.parent !== null &&
    before.parent.czxid === now.parent?.czxid &&
    before.parent.pzxid === now.parent.pzxid;
  for (let before = await look(client, path, options); ; before = await look(client, path, options)) {
    if (before.flag !== null) return;
    if (before.parent === null && options.createParents === true) {
      await makeParent(client, path, options);
      continue;
    }
    const outcome = await attempt(client, { path, before, change: create, mayRepeat }, options);
    if (outcome === 'done') return;
  }
}

/**
 * Resolves when it is not there, by this call or before.
 * @throws OutcomeUnknownError if the request may yet take effect.
 */
export async function lowerFlag(client: Client, path: string, options: FlagOptions = {}): Promise<void> {
  const remove = (): Promise<void> => client.delete(path, { signal: options.signal });
  // Another one in its place: it was not there for a moment, and is not to be deleted again.
  const mayRepeat = (before: Look, now: Look): boolean => before.flag?.czxid === now.flag?.czxid;
  for (let before = await look(client, path, options); ; before = await look(client, path, options)) {
    if (before.flag === null) return;
    const outcome = await attempt(client, { path, before, change: remove, mayRepeat }, options);
    if (outcome === 'done') return;
  }
}

interface Attempt {
  readonly path: string;
  readonly before: Look;
  readonly change: () => Promise<void>;
  /** Whether what is there now shows that the change in doubt had no effect. */
  readonly mayRepeat: (before: Look, now: Look) => boolean;
}

async function attempt(
  client: Client,
  { path, before, change, mayRepeat }: Attempt,
  options: FlagOptions,
): Promise<'done' | 'repeat'> {
  const { epoch } = client.session;
  const isRaising = before.flag === null;
  try {
    await change();
    return 'done';
  } catch (error) {
    if (hasCode(error, isRaising ? 'NODE_EXISTS' : 'NO_NODE')) return 'done';
    // The session was over before it was sent.
    if (hasCode(error, 'SESSION_EXPIRED')) return 'repeat';
    if (!isTransient(error) || isClosed(client, error)) throw error;
    await pause(client, 0, ...(options.signal === undefined ? [] : [options.signal]));
    const now = await look(client, path, options);
    if ((now.flag !== null) === isRaising) return 'done';
    if (!hasCode(error, 'OUTCOME_UNKNOWN')) return 'repeat';
    // In a later session it may yet come: the servers may not know yet that the earlier one is over.
    if (mayRepeat(before, now)) {
      if (client.session.epoch === epoch) return 'repeat';
    } else if (!isRaising) return 'done';
    throw new OutcomeUnknownError({ operation: isRaising ? 'create' : 'delete', path, cause: error });
  }
}

async function look(client: Client, path: string, { signal }: FlagOptions): Promise<Look> {
  const options = { signal };
  const read = async (): Promise<Look> => {
    const [, parent, flag] = await Promise.all([
      client.sync(path, options),
      client.exists(parentOf(path), options),
      client.exists(path, options),
    ]);
    return { flag, parent };
  };
  const signals = signal === undefined ? [] : [signal];
  return orAborted(repeatRead(client, options, read), ...signals);
}

async function makeParent(client: Client, path: string, { signal }: FlagOptions): Promise<void> {
  const create = () =>
    client.create(parentOf(path), null, { mode: 'container', createParents: true, signal });
  try {
    await repeatIdempotentAcrossSessions(client, create, ...(signal === undefined ? [] : [signal]));
  } catch (error) {
    if (!hasCode(error, 'NODE_EXISTS')) throw error;
  }
}
