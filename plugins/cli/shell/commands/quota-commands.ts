import { printableLine } from '../../../../core/runtime/index.js';
import type { Client } from '../../../../core/client/index.js';
import { formatData } from '../format.js';
import { type Quota, UNLIMITED, formatQuota, parseQuota } from '../quota-text.js';
import { type GivenArguments, type ShellCommand, integerFlag } from '../command.js';
import { ShellError } from '../shell-error.js';
import { isCode, walkSubtree } from '../subtree.js';

const QUOTA_ROOT = '/zookeeper/quota';
const LIMITS = 'zookeeper_limits';
const STATS = 'zookeeper_stats';

/** Which flag sets which limit. */
const LIMIT_FLAGS: Readonly<Record<string, keyof Quota>> = {
  n: 'count',
  b: 'bytes',
  N: 'countHardLimit',
  B: 'byteHardLimit',
};

const setQuota: ShellCommand = {
  name: 'setquota',
  usage: '-n|-b|-N|-B val path',
  flags: 'n:b:N:B:',
  words: [1, 1],
  async run({ client }, given) {
    const path = given.words[0]!;
    const limits = limitsOf(given);
    if (path === QUOTA_ROOT || path.startsWith(`${QUOTA_ROOT}/`)) {
      throw new ShellError(`cannot set a quota under the path: ${QUOTA_ROOT}`);
    }
    if ((await client.exists(path)) === null) throw new ShellError(`${path} does not exist.`);
    await refuseNestedQuota(client, path);
    await createQuotaParents(client, quotaPathOf(path));
    await writeLimits(client, path, limits);
  },
};

const listQuota: ShellCommand = {
  name: 'listquota',
  usage: 'path',
  flags: '',
  words: [1, 1],
  async run({ client, output }, given) {
    const path = given.words[0]!;
    const limitsPath = `${quotaPathOf(path)}/${LIMITS}`;
    output.print(`absolute path is ${limitsPath}`);
    const limits = await readQuota(client, limitsPath);
    if (limits === null) throw new ShellError(`quota for ${path} does not exist.`);
    output.print(printableLine(`Output quota for ${path} ${limits}`));
    const stats = await readQuota(client, `${quotaPathOf(path)}/${STATS}`);
    if (stats !== null) output.print(printableLine(`Output stat for ${path} ${stats}`));
  },
};

const deleteQuota: ShellCommand = {
  name: 'delquota',
  usage: '[-n|-b|-N|-B] path',
  flags: 'nbNB',
  words: [1, 1],
  async run({ client }, given) {
    const path = given.words[0]!;
    const limitsPath = `${quotaPathOf(path)}/${LIMITS}`;
    const text = await readQuota(client, limitsPath);
    if (text === null) throw new ShellError(`quota for ${path} does not exist.`);
    const flags = Object.keys(LIMIT_FLAGS).filter((flag) => given.has(flag));
    if (flags.length === 0) {
      await deleteIfThere(client, limitsPath);
      await deleteIfThere(client, `${quotaPathOf(path)}/${STATS}`);
      await deleteEmptyParents(client, quotaPathOf(path));
      return;
    }
    const lifted = Object.fromEntries(flags.map((flag) => [LIMIT_FLAGS[flag]!, -1]));
    await client.setData(limitsPath, formatQuota({ ...parseQuota(text), ...lifted }));
  },
};

function quotaPathOf(path: string): string {
  return path === '/' ? QUOTA_ROOT : QUOTA_ROOT + path;
}

function limitsOf(given: GivenArguments): Partial<Quota> {
  const flags = Object.keys(LIMIT_FLAGS).filter((flag) => given.has(flag));
  if (flags.length === 0) throw new ShellError('setquota -n|-b|-N|-B val path');
  return Object.fromEntries(
    flags.map((flag) => [
      LIMIT_FLAGS[flag]!,
      integerFlag(given, flag, { fallback: -1, least: -1, greatest: Number.MAX_SAFE_INTEGER }),
    ]),
  );
}

/** Between the root and a leaf there may be one quota only: the usage of nested ones would be counted twice. */
async function refuseNestedQuota(client: Client, path: string): Promise<void> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const parent = path.slice(0, at);
    if ((await client.exists(`${quotaPathOf(parent)}/${LIMITS}`)) !== null) {
      throw new ShellError(`${path} has a parent ${parent} which has a quota`);
    }
  }
  const own = `${quotaPathOf(path)}/${LIMITS}`;
  if ((await client.exists(quotaPathOf(path))) === null) return;
  for await (const each of walkSubtree(client, quotaPathOf(path))) {
    if (each.endsWith(`/${LIMITS}`) && each !== own) {
      const child = each.slice(QUOTA_ROOT.length, -LIMITS.length - 1);
      throw new ShellError(`${path} has a child ${child} which has a quota`);
    }
  }
}

async function createQuotaParents(client: Client, quotaPath: string): Promise<void> {
  for (let at = QUOTA_ROOT.length; at !== -1 && at < quotaPath.length;) {
    const next = quotaPath.indexOf('/', at + 1);
    await createIfMissing(client, next === -1 ? quotaPath : quotaPath.slice(0, next), null);
    at = next;
  }
}

/** The limits come before the statistics: creating those makes a server count. */
async function writeLimits(client: Client, path: string, limits: Partial<Quota>): Promise<void> {
  const limitsPath = `${quotaPathOf(path)}/${LIMITS}`;
  const present = await readQuota(client, limitsPath);
  if (present !== null) {
    await client.setData(limitsPath, formatQuota({ ...parseQuota(present), ...limits }));
    return;
  }
  await createIfMissing(client, limitsPath, formatQuota({ ...UNLIMITED, ...limits }));
  await createIfMissing(client, `${quotaPathOf(path)}/${STATS}`, 'count=0,bytes=0');
}

async function createIfMissing(client: Client, path: string, data: string | null): Promise<void> {
  await client.create(path, data).catch((error: unknown) => {
    if (!isCode(error, 'NODE_EXISTS')) throw error;
  });
}

async function deleteIfThere(client: Client, path: string): Promise<void> {
  await client.delete(path).catch((error: unknown) => {
    if (!isCode(error, 'NO_NODE')) throw error;
  });
}

/** Goes up as long as nothing is left below. */
async function deleteEmptyParents(client: Client, quotaPath: string): Promise<void> {
  let path = quotaPath;
  while (path.length > QUOTA_ROOT.length) {
    const stat = await client.exists(path);
    if (stat !== null && stat.numChildren > 0) return;
    await deleteIfThere(client, path);
    path = path.slice(0, path.lastIndexOf('/'));
  }
}

/** Null if there is no such znode. */
async function readQuota(client: Client, path: string): Promise<string | null> {
  try {
    return formatData((await client.getData(path)).data);
  } catch (error) {
    if (isCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

export const quotaCommands: readonly ShellCommand[] = [setQuota, listQuota, deleteQuota];
