import { allChildren, type Watch } from '../../../../core/client/index.js';
import { formatData, formatList, formatStat } from '../format.js';
import type { GivenArguments, ShellCommand, ShellContext } from '../command.js';
import { ShellError } from '../shell-error.js';
import { walkSubtree } from '../subtree.js';

const ls: ShellCommand = {
  name: 'ls',
  usage: '[-s] [-w] [-R] path',
  flags: 'swR',
  words: [1, 1],
  async run(context, given) {
    const { client, output, watches } = context;
    const path = given.words[0]!;
    if (given.has('R')) {
      for await (const each of walkSubtree(client, path, given.has('w') ? watches : undefined)) {
        output.print(each);
      }
      return;
    }
    const children = await watching(context, given, 'children', (watch) =>
      allChildren(client, path, { watch }),
    );
    output.print(formatList(children));
    if (!given.has('s')) return;
    const stat = await client.exists(path);
    if (stat !== null) output.print(formatStat(stat));
  },
};

const get: ShellCommand = {
  name: 'get',
  usage: '[-s] [-w] path',
  flags: 'sw',
  words: [1, 1],
  async run(context, given) {
    const { client, output } = context;
    const { data, stat } = await watching(context, given, 'data', (watch) =>
      client.getData(given.words[0]!, { watch }),
    );
    output.print(formatData(data));
    if (given.has('s')) output.print(formatStat(stat));
  },
};

const stat: ShellCommand = {
  name: 'stat',
  usage: '[-w] path',
  flags: 'w',
  words: [1, 1],
  async run(context, given) {
    const path = given.words[0]!;
    const found = await watching(context, given, 'data', (watch) => context.client.exists(path, { watch }));
    if (found === null) throw new ShellError(`Node does not exist: ${path}`);
    context.output.print(formatStat(found));
  },
};

const getEphemerals: ShellCommand = {
  name: 'getEphemerals',
  usage: '[path]',
  flags: '',
  words: [0, 1],
  async run({ client, output }, given) {
    const paths = await client.getEphemerals(given.words[0]);
    output.print(formatList([...paths].sort()));
  },
};

const getAllChildrenNumber: ShellCommand = {
  name: 'getAllChildrenNumber',
  usage: 'path',
  flags: '',
  words: [1, 1],
  async run({ client, output }, given) {
    output.print(String(await client.countDescendants(given.words[0]!)));
  },
};

const sync: ShellCommand = {
  name: 'sync',
  usage: 'path',
  flags: '',
  words: [1, 1],
  async run({ client, output }, given) {
    await client.sync(given.words[0]!);
    output.print('Sync is OK');
  },
};

/** Reads with a watch if `-w` asks for one. */
async function watching<T>(
  { client, watches }: ShellContext,
  given: GivenArguments,
  kind: 'data' | 'children',
  read: (watch: Watch | undefined) => Promise<T>,
): Promise<T> {
  if (!given.has('w')) return read(undefined);
  const note = watches.oneShot(kind, given.words[0]!, client);
  try {
    return await read(note.watch);
  } catch (error) {
    note.forget();
    throw error;
  }
}

export const readCommands: readonly ShellCommand[] = [
  ls,
  get,
  stat,
  getEphemerals,
  getAllChildrenNumber,
  sync,
];
