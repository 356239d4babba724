import { Command } from 'commander';
import { QuorateError } from '../../core/runtime/index.js';
import { connect } from '../../framework/index.js';
import { readWhole, standardInput } from './backup/read-file.js';
import { guarded } from './backup.js';
import { identityOptions } from './identity-flags.js';
import { withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { print } from './output.js';
import { parseExport } from './transfer/export-format.js';
import { writeSubtree, type ImportMode } from './transfer/write-subtree.js';

interface Flags extends EnsembleFlags {
  readonly merge?: boolean;
  readonly replace?: boolean;
}

/** `quorate import`: writes what `quorate export` has written. */
export function importCommand(): Command {
  const command = new Command('import')
    .description('write the znodes of an export; without a flag the znode at its top must not be there')
    .argument('<file>', 'export, or - for the standard input')
    .option('--merge', 'overwrite data and ACLs of znodes that are there, and keep all others')
    .option('--replace', 'the same, and delete what the export does not have, but for ephemeral znodes')
    .action((file: string, flags: Flags) => guarded('import', () => run(file, flags)));
  return withEnsembleFlags(command);
}

async function run(file: string, flags: Flags): Promise<void> {
  const { merge = false, replace = false, connect: url, patience } = flags;
  if (merge && replace) throw new QuorateError('INVALID_ARGUMENT', 'Give --merge or --replace, not both.');
  const mode: ImportMode = replace ? 'replace' : merge ? 'merge' : 'create';
  const parts: Uint8Array[] = [];
  for await (const part of file === '-' ? standardInput() : readWhole(file)) parts.push(part);
  const parsed = parseExport(Buffer.concat(parts).toString(), file);
  await using client = await connect(url, { connectTimeoutMs: patience, ...identityOptions(flags) });
  const { created, changed, deleted, left } = await writeSubtree(client, parsed, mode);
  const stayed = left === 0 ? '' : `, ${left} left because of ephemeral znodes`;
  print(`Imported ${parsed.root}: ${created} created, ${changed} changed, ${deleted} deleted${stayed}\n`);
}
