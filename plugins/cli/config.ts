import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { Client } from '../../core/client/index.js';
import { didYouMean, JsonTextError, parseJson, printableLine } from '../../core/runtime/index.js';
import {
  ConfigStore,
  QuorateError,
  redact,
  redactDifference,
  type Difference,
} from '../../framework/index.js';
import { onEnsemble, withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { print } from './output.js';

interface ShowFlags extends EnsembleFlags {
  readonly secrets?: boolean;
}

interface SetFlags extends ShowFlags {
  readonly version?: string;
}

const SECRETS = ['--secrets', 'show what the schema marks as secret'] as const;

/** `quorate config`: configuration of the fleet, judged before it is written. */
export function configCommand(): Command {
  const get = new Command('get')
    .description('the value in force, as the znode has it')
    .argument('<name>', 'name of the configuration')
    .option(...SECRETS)
    .action((name: string, flags: ShowFlags) => withStore(flags, (store) => printValue(store, name, flags)));
  const set = new Command('set')
    .description('judge a value by the rules of those who use it, and write it')
    .argument('<name>', 'name of the configuration')
    .argument('<value>', 'JSON, or @file, or - for the standard input')
    .option('--version <number>', 'only if the value has this version now')
    .action((name: string, value: string, flags: SetFlags) =>
      withStore(flags, async (store) => {
        const version = flags.version === undefined ? undefined : Number(flags.version);
        const written = await store.write(
          name,
          await readValue(value),
          version === undefined ? {} : { version },
        );
        print(`written, version ${written.version}\n`);
      }),
    );
  const diff = new Command('diff')
    .description('where two revisions differ; without them, what the last write changed')
    .argument('<name>', 'name of the configuration')
    .argument('[from]', 'revision, as history tells')
    .argument('[to]', 'revision; what is in force if left out')
    .option(...SECRETS)
    .action((name: string, from: string | undefined, to: string | undefined, flags: ShowFlags) =>
      withStore(flags, async (store) => {
        const found = await store.diff(name, revisionOf(from), revisionOf(to));
        const hidden = flags.secrets === true ? found : await hideSecrets(store, name, found);
        print(hidden.length === 0 ? 'no difference\n' : hidden.map(describeDifference).join(''));
      }),
    );
  const history = new Command('history')
    .description('what was written, newest first')
    .argument('<name>', 'name of the configuration')
    .option(...SECRETS)
    .action((name: string, flags: ShowFlags) =>
      withStore(flags, async (store) => {
        const schema = (await store.rules(name))?.schema;
        for (const { revision, value, writtenAt } of await store.history(name)) {
          const shown = flags.secrets === true ? value : redact(value, schema);
          print(`${revision}  ${new Date(writtenAt).toISOString()}  ${JSON.stringify(shown)}\n`);
        }
      }),
    );
  const rollback = new Command('rollback')
    .description('write an earlier value again; without a revision, the one before the newest')
    .argument('<name>', 'name of the configuration')
    .argument('[revision]', 'revision, as history tells')
    .action((name: string, revision: string | undefined, flags: EnsembleFlags) =>
      withStore(flags, async (store) => {
        const { version } = await store.rollback(name, revisionOf(revision));
        print(`written, version ${version}\n`);
      }),
    );
  const applied = new Command('applied')
    .description('which process uses which version')
    .argument('<name>', 'name of the configuration')
    .action((name: string, flags: EnsembleFlags) =>
      withStore(flags, async (store) => {
        for (const { by, version, state, since, overridden } of await store.applied(name)) {
          const local =
            overridden.length === 0 ? '' : `  (its environment sets ${printableLine(overridden.join(', '))})`;
          print(
            `${state.padEnd(7)}  version ${version}  ${new Date(since).toISOString()}  ${printableLine(by)}${local}\n`,
          );
        }
      }),
    );
  const list = new Command('list')
    .description('the configurations that have a value')
    .action((flags: EnsembleFlags) =>
      withStore(flags, async (store) => {
        const names = await store.names();
        print(
          names.length === 0 ? 'no configuration has a value\n' : names.map((name) => `${name}\n`).join(''),
        );
      }),
    );
  const command = new Command('config').description('configuration of the fleet');
  for (const each of [list, get, set, diff, history, rollback, applied])
    command.addCommand(withEnsembleFlags(each));
  return command;
}

function withStore(flags: EnsembleFlags, task: (store: ConfigStore) => Promise<void>): Promise<void> {
  return onEnsemble(flags, (client: Client) => task(new ConfigStore(client)));
}

async function printValue(store: ConfigStore, name: string, { secrets }: ShowFlags): Promise<void> {
  const stored = await store.read(name);
  if (stored === null) throw await configMissing(store, name);
  const shown = secrets === true ? stored.value : redact(stored.value, (await store.rules(name))?.schema);
  print(`${JSON.stringify(shown, null, 2)}\n`);
}

async function configMissing(store: ConfigStore, name: string): Promise<QuorateError> {
  const near = didYouMean(name, await store.names());
  return new QuorateError(
    'CONFIG_MISSING',
    `Configuration ${JSON.stringify(name)} has no value${near}: the defaults of its class hold.`,
    { fields: { name } },
  );
}

/** The same places with secrets hidden: what differs in a secret only is told, and not shown. */
async function hideSecrets(
  store: ConfigStore,
  name: string,
  found: readonly Difference[],
): Promise<readonly Difference[]> {
  const schema = (await store.rules(name))?.schema;
  return found.map((difference) => redactDifference(difference, schema));
}

function describeDifference({ path, before, after }: Difference): string {
  const side = (sign: string, value: unknown): string =>
    value === undefined ? '' : `${sign} ${path === '' ? '/' : path}: ${JSON.stringify(value)}\n`;
  return side('-', before) + side('+', after);
}

function revisionOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

async function readValue(text: string): Promise<unknown> {
  const json =
    text === '-' ? await readInput() : text.startsWith('@') ? await readFile(text.slice(1), 'utf8') : text;
  try {
    return parseJson(json);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new QuorateError('CONFIG_NOT_JSON', `The value is not JSON: ${error.message}. Correct it.`);
  }
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
