import { Command } from 'commander';
import type { Client } from '../../core/client/index.js';
import { parseConnectString } from '../../core/client/index.js';
import { QuorateError } from '../../core/runtime/index.js';
import { znodesOfBackup } from '../../core/server/index.js';
import { writeWholeFile } from '../../core/storage/index.js';
import { connect } from '../../framework/index.js';
import { readWhole } from './backup/read-file.js';
import { receiveBackup } from './backup/receive.js';
import { guarded } from './backup.js';
import { identityOptions } from './identity-flags.js';
import { withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { printError, writeBytes } from './output.js';
import { endLine, headLine, isSystem, znodeLine, type MovedZnode } from './transfer/export-format.js';
import { readSubtree } from './transfer/read-subtree.js';

interface Flags extends EnsembleFlags {
  readonly backup?: string;
  readonly output?: string;
}

interface Source {
  readonly ensemble: string | null;
  readonly zxid: string | null;
  readonly znodes: AsyncIterable<MovedZnode> | Iterable<MovedZnode>;
}

/** `quorate export`: a subtree as lines of JSON. */
export function exportCommand(): Command {
  const command = new Command('export')
    .description(
      'write a znode and everything below it as lines of JSON, with ACLs and without ephemeral znodes',
    )
    .argument('<path>', 'znode at the top')
    .option('--backup <file>', 'read a backup in place of an ensemble')
    .option('--output <file>', 'file to write, mode 0600 (default: standard output)')
    .addHelpText(
      'after',
      '\nWhere a backup may be taken (see quorate backup), the export is of one moment and knows containers and times to live. Elsewhere, and on ' +
        'Apache ZooKeeper, znodes are read one after the other, and become persistent ones: no client is told more.',
    )
    .action((path: string, flags: Flags) => guarded('export', () => run(path, flags)));
  return withEnsembleFlags(command);
}

async function run(path: string, flags: Flags): Promise<void> {
  const source =
    flags.backup === undefined
      ? await fromMember(path, flags)
      : await fromBackup(readWhole(flags.backup), flags.backup, path);
  if (source !== null) return write(source, path, flags);
  const { connect: url, patience } = flags;
  await using client = await connect(url, { connectTimeoutMs: patience, ...identityOptions(flags) });
  printError(
    'quorate export: reading znodes one after the other; containers and times to live become persistent znodes\n',
  );
  await write(fromClient(client, path), path, flags);
}

/** Null where no backup is to be had. */
async function fromMember(path: string, flags: Flags): Promise<Source | null> {
  const { scheme, addresses, chroot } = parseConnectString(flags.connect);
  if ((scheme !== 'ws' && scheme !== 'wss') || chroot !== '') return null;
  try {
    return await fromBackup(receiveBackup(flags), addresses.join(','), path);
  } catch (error) {
    if (error instanceof QuorateError && WITHOUT_BACKUP.has(error.code)) return null;
    throw error;
  }
}

const WITHOUT_BACKUP: ReadonlySet<string> = new Set(['BACKUP_REFUSED', 'BACKUP_BUSY', 'CONNECT_FAILED']);

async function fromBackup(pieces: AsyncIterable<Uint8Array>, name: string, path: string): Promise<Source> {
  const { summary, znodes } = await znodesOfBackup(pieces, name, path);
  if (znodes === null)
    throw new QuorateError('NOTHING_TO_EXPORT', `Cannot export ${path}: there is no such znode in ${name}.`);
  return { ensemble: summary.ensemble, zxid: summary.zxid, znodes: withoutSystem(znodes) };
}

function fromClient(client: Client, path: string): Source {
  return { ensemble: client.session.ensembleId, zxid: null, znodes: readSubtree(client, path) };
}

function* withoutSystem(znodes: Iterable<MovedZnode>): Generator<MovedZnode, void> {
  for (const znode of znodes) if (!isSystem(znode.path)) yield znode;
}

async function write({ ensemble, zxid, znodes }: Source, root: string, { output }: Flags): Promise<void> {
  let count = 0;
  async function* lines(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from(headLine({ root, ensemble, zxid }));
    for await (const znode of znodes) {
      count += 1;
      yield Buffer.from(znodeLine(znode));
    }
    yield Buffer.from(endLine(count));
  }
  if (output === undefined) for await (const line of lines()) await writeBytes(line);
  else await writeWholeFile(output, lines());
  printError(`Exported ${count} znodes at and below ${root}\n`);
}
