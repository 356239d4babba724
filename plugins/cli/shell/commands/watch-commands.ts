import type { GivenArguments, ShellCommand } from '../command.js';
import { ShellError } from '../shell-error.js';
import type { WatchKind } from '../watch-book.js';

const addWatch: ShellCommand = {
  name: 'addWatch',
  usage:
    '[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE',
  flags: 'm:',
  words: [1, 1],
  async run({ client, watches }, given) {
    const mode = (given.valueOf('m') ?? 'PERSISTENT_RECURSIVE').toUpperCase();
    if (mode !== 'PERSISTENT' && mode !== 'PERSISTENT_RECURSIVE') {
      throw new ShellError(`Unknown mode ${mode}; it is one of PERSISTENT, PERSISTENT_RECURSIVE`);
    }
    const recursive = mode === 'PERSISTENT_RECURSIVE';
    await watches.addPersistent(given.words[0]!, client, { recursive });
  },
};

const removeWatches: ShellCommand = {
  name: 'removewatches',
  usage: 'path [-c|-d|-p|-r|-a] [-l]',
  flags: 'cdpral',
  words: [1, 1],
  async run({ client, watches }, given) {
    const path = given.words[0]!;
    if (!(await watches.remove(path, kindsOf(given), client))) {
      throw new ShellError(`No such watcher for ${path}`);
    }
  },
};

const printWatches: ShellCommand = {
  name: 'printwatches',
  usage: 'on|off',
  flags: '',
  words: [0, 1],
  run({ output, watches }, given) {
    const [wanted] = given.words;
    if (wanted === undefined) output.print(`printwatches is ${watches.isPrinting ? 'on' : 'off'}`);
    else watches.isPrinting = wanted === 'on';
    return Promise.resolve();
  },
};

function kindsOf(given: GivenArguments): readonly WatchKind[] {
  if (given.has('c')) return ['children'];
  if (given.has('d')) return ['data'];
  if (given.has('p')) return ['persistent'];
  if (given.has('r')) return ['recursive'];
  return ['data', 'children', 'persistent', 'recursive'];
}

export const watchCommands: readonly ShellCommand[] = [addWatch, removeWatches, printWatches];
