import { getHeapStatistics } from 'node:v8';
import { Command, Option } from 'commander';
import type { Logger } from '../../core/runtime/index.js';
import { serve, type Served } from '../../core/server/index.js';
import { dataBytesFor } from './data-limit.js';
import { keepHeapHeadroom } from './heap-headroom.js';
import { errorText, print, printError } from './output.js';
import { pinoLogger } from './pino-logger.js';
import { environmentName, resolveSettings, SETTINGS, type ServeSettings } from './serve-settings.js';
import { zooKeeperListeners } from './zookeeper-listeners.js';

/** `quorate serve`: one member on a data directory and a port, until a signal or a failure ends it. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('run a member of an ensemble')
    .addOption(
      new Option('--config <file>', 'JSON file with any of the settings below [env: QUORATE_CONFIG]'),
    );
  for (const { name, flag, description } of SETTINGS) {
    command.addOption(new Option(flag, `${description} [env: ${environmentName(name)}]`));
  }
  return command
    .addHelpText(
      'after',
      '\nA flag goes before an environment variable, and that before the configuration file.',
    )
    .action(async (_options: unknown, self: Command) => {
      const settings = settingsOf(self);
      if (settings !== null) await run(settings);
    });
}

function settingsOf(command: Command): ServeSettings | null {
  const values = command.opts<Record<string, string | boolean | undefined>>();
  // A negatable flag has a default of commander's own; only what was typed counts.
  const flags = Object.fromEntries(
    Object.entries(values).filter(([name]) => command.getOptionValueSource(name) === 'cli'),
  );
  try {
    return resolveSettings({
      flags,
      environment: process.env,
      configFile: flags.config as string | undefined,
    });
  } catch (error) {
    fail(error);
    return null;
  }
}

async function run(settings: ServeSettings): Promise<void> {
  keepHeapHeadroom();
  const logger = pinoLogger(settings.logLevel);
  let member: Served | null = null;
  // From the beginning, and also without files to read again: this signal must not end a member.
  process.on('SIGHUP', () => {
    logger.info('Reloading certificates and secrets', { signal: 'SIGHUP' });
    void member?.reload();
  });
  let stop: (exitCode: number) => Promise<void> = (exitCode) => process.exit(exitCode);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // A start is stopped as a crash would stop it: what the disk holds is recovered by the next one.
      logger.info(member === null ? 'Stopping in the middle of the start' : 'Stopping', { signal });
      void stop(0);
    });
  }
  try {
    const { logLevel: _, zookeeperPort, secureZookeeperPort, fourLetterWords, ...options } = settings;
    const maxDataBytes = options.maxDataBytes ?? dataBytesFor(getHeapStatistics().heap_size_limit);
    const zooKeeper = { zookeeperPort, secureZookeeperPort, tlsCert: options.tlsCert, fourLetterWords };
    member = await serve({ ...options, maxDataBytes, listeners: zooKeeperListeners(zooKeeper), logger });
  } catch (error) {
    return fail(error);
  }
  stop = stopOnce(member, logger);
  member.onFailure(() => void stop(1));
  await announce(member);
}

/** Stops the member in order and ends the process; calls behind the first do nothing. */
function stopOnce(member: Served, logger: Logger): (exitCode: number) => Promise<void> {
  let isStopping = false;
  return async (exitCode) => {
    if (isStopping) return;
    isStopping = true;
    await member.close().catch((error: unknown) => {
      exitCode = 1;
      logger.error('Stopping failed', { error });
    });
    process.exit(exitCode);
  };
}

async function announce(member: Served): Promise<void> {
  const isServing = await member.serving().then(
    () => true,
    () => false,
  );
  if (!isServing) return;
  print(
    `quorate: member ${member.health().id} is ready at ${[member.address, ...member.otherAddresses].join(' and ')}\n`,
  );
}

function fail(error: unknown): void {
  printError(`quorate serve: ${errorText(error)}\n`);
  process.exitCode = 1;
}
