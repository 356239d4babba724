import { Command, Option } from 'commander';
import { printableLine } from '../../core/runtime/index.js';
import { Locks, type LockExplanation, type LockParticipant } from '../../framework/index.js';
import { onEnsemble, positiveInteger, withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { print } from './output.js';

interface ExplainFlags extends EnsembleFlags {
  readonly kind?: 'fair' | 'read-write';
  readonly permits?: number;
  readonly json?: boolean;
}

interface ListFlags extends EnsembleFlags {
  readonly limit: number;
  readonly json?: boolean;
}

/** `quorate lock`: what people want to know of a lock. */
export function lockCommand(): Command {
  const explain = new Command('explain')
    .description('who holds a lock since when, and who waits for it, in order')
    .argument('<name>', 'name of the lock, such as customers/42')
    .addOption(new Option('--kind <kind>', 'what kind of lock it is').choices(['fair', 'read-write']))
    .option('--permits <number>', 'it is a semaphore with so many permits', positiveInteger)
    .option('--json', 'one JSON object instead of text')
    .action((name: string, flags: ExplainFlags) =>
      onEnsemble(flags, async (client) => {
        const explanation = await new Locks(client).explain(name, {
          mode: flags.kind === 'read-write' ? 'read' : undefined,
          permits: flags.permits,
        });
        print(flags.json === true ? `${toJson(explanation)}\n` : describe(explanation, Date.now()));
      }),
    );
  const list = new Command('list')
    .description('the locks that somebody holds or waits for')
    .option('--limit <number>', 'at most so many', positiveInteger, 20)
    .option('--json', 'one JSON object for each lock instead of text')
    .action((flags: ListFlags) =>
      onEnsemble(flags, async (client) => {
        const names = await new Locks(client).names({ limit: flags.limit });
        for (const name of names)
          print(`${flags.json === true ? JSON.stringify({ name }) : printableLine(name)}\n`);
        if (names.length === 0 && flags.json !== true) print('nobody holds a lock or waits for one\n');
      }),
    );
  return new Command('lock')
    .description('locks of the fleet')
    .addCommand(withEnsembleFlags(list))
    .addCommand(withEnsembleFlags(explain));
}

function describe({ path, holders, waiters }: LockExplanation, now: number): string {
  const lines = [holders.length === 0 ? `${path} is free` : path];
  for (const holder of holders)
    lines.push(`  held     ${describeParticipant(holder)} for ${seconds(now - holder.heldSince)}`);
  for (const waiter of waiters)
    lines.push(`  waiting  ${describeParticipant(waiter)} for ${seconds(now - waiter.askedAt)}`);
  return `${lines.join('\n')}\n`;
}

function describeParticipant({ kind, owner, sessionId, fence }: LockParticipant): string {
  const who = printableLine(owner ?? '(it says no name)');
  return `${kind === 'exclusive' ? '' : `${kind}  `}by ${who}, session 0x${sessionId.toString(16)}, fence 0x${fence.toString(16)},`;
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}

/** Numbers of 64 bits as text. */
function toJson(explanation: LockExplanation): string {
  return JSON.stringify(explanation, (_key, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
}
