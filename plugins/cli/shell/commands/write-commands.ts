import type { CreateModeName } from '../../../../core/client/index.js';
import { formatStat, parseAcl } from '../format.js';
import { type GivenArguments, type ShellCommand, integerFlag, versionFlag } from '../command.js';
import { ShellError } from '../shell-error.js';
import { SubtreeRemoval } from '../subtree-removal.js';

/** Forty bits of milliseconds. */
const MAX_TTL_MS = 0xff_ffff_ffff;
const DEFAULT_BATCH = 1000;

const create: ShellCommand = {
  name: 'create',
  usage: '[-s] [-e] [-c] [-t ttl] path [data] [acl]',
  flags: 'sect:',
  words: [1, 3],
  async run({ client, output }, given) {
    const [path = '', data, acl] = given.words;
    const mode = modeOf(given);
    const ttlMs = given.has('t')
      ? integerFlag(given, 't', { fallback: 0, least: 1, greatest: MAX_TTL_MS })
      : undefined;
    const created = await client.create(path, data ?? null, {
      mode,
      ttlMs,
      acl: acl === undefined ? undefined : parseAcl(acl),
    });
    output.print(`Created ${created.path}`);
  },
};

const set: ShellCommand = {
  name: 'set',
  usage: '[-s] [-v version] path data',
  flags: 'sv:',
  words: [2, 2],
  async run({ client, output }, given) {
    const [path = '', data = ''] = given.words;
    const stat = await client.setData(path, data, { version: versionFlag(given) });
    if (given.has('s')) output.print(formatStat(stat));
  },
};

const deleteOne: ShellCommand = {
  name: 'delete',
  usage: '[-v version] path',
  flags: 'v:',
  words: [1, 1],
  async run({ client }, given) {
    await client.delete(given.words[0]!, { version: versionFlag(given) });
  },
};

const deleteAll: ShellCommand = {
  name: 'deleteall',
  usage: 'path [-b batch size]',
  flags: 'b:',
  words: [1, 1],
  async run({ client }, given) {
    const batch = integerFlag(given, 'b', { fallback: DEFAULT_BATCH, least: 1, greatest: 100_000 });
    const removal = new SubtreeRemoval(client, batch);
    await removal.remove(given.words[0]!);
    if (removal.hasFailed) throw new ShellError('Failed to delete some node(s) in the subtree!');
  },
};

function modeOf(given: GivenArguments): CreateModeName {
  const isSequential = given.has('s');
  if (given.has('c')) {
    if (isSequential || given.has('e')) {
      throw new ShellError(
        '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.',
      );
    }
    if (given.has('t')) throw new ShellError('TTLs cannot be used with Container znodes');
    return 'container';
  }
  if (given.has('e')) {
    if (given.has('t')) throw new ShellError('TTLs cannot be used with Ephemeral znodes');
    return isSequential ? 'ephemeral-sequential' : 'ephemeral';
  }
  if (given.has('t')) return isSequential ? 'persistent-sequential-ttl' : 'persistent-ttl';
  return isSequential ? 'persistent-sequential' : 'persistent';
}

export const writeCommands: readonly ShellCommand[] = [create, set, deleteOne, deleteAll];
