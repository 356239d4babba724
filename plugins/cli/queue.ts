import { Command } from 'commander';
import type { Client } from '../../core/client/index.js';
import {
  JsonTextError,
  parseJson,
  printableLine,
  didYouMean,
  whatThereIs,
} from '../../core/runtime/index.js';
import {
  Queues,
  QuorateError,
  WorkQueue,
  type DeadLetter,
  type JobStatus,
  type QueueCounts,
} from '../../framework/index.js';
import { onEnsemble, positiveInteger, withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { print } from './output.js';

/** Jobs among which a misspelt one is looked for. */
const MOST_COMPARED = 1_000;

interface JsonFlags extends EnsembleFlags {
  readonly json?: boolean;
}

interface ListFlags extends JsonFlags {
  readonly limit: number;
}

interface AddFlags extends EnsembleFlags {
  readonly priority: number;
  readonly delay: number;
  readonly key?: string;
  readonly group?: string;
}

/** `quorate queue`: jobs of the fleet, those that wait and those that were given up. */
export function queueCommand(): Command {
  const command = new Command('queue').description('queues of the fleet');
  const dead = new Command('dead').description('jobs that were given up');
  for (const each of [listCommand(), showCommand(), pauseCommand(), resumeCommand(), addCommand()])
    command.addCommand(withEnsembleFlags(each));
  command.addCommand(withEnsembleFlags(countsCommand())).addCommand(withEnsembleFlags(cancelCommand()));
  for (const each of [deadListCommand(), deadShowCommand(), redriveCommand(), removeCommand()])
    dead.addCommand(withEnsembleFlags(each));
  return command.addCommand(dead);
}

function countsCommand(): Command {
  return new Command('counts')
    .description('how many jobs, dead letters and consumers a queue has')
    .argument('<queue>', 'name of the queue')
    .option('--json', 'one JSON object instead of text')
    .action((name: string, flags: JsonFlags) =>
      onQueue(name, flags, async (queue) => {
        const counts = await queue.counts();
        return flags.json === true ? JSON.stringify(counts) : describeCounts(counts);
      }),
    );
}

function listCommand(): Command {
  return new Command('list')
    .description('the jobs of a queue and how they are, in order; without a name, the queues')
    .argument('[queue]', 'name of the queue')
    .option('--limit <number>', 'at most so many', positiveInteger, 20)
    .option('--json', 'one JSON object for each job instead of text')
    .action((name: string | undefined, flags: ListFlags) => {
      if (name === undefined) return onEnsemble(flags, (client) => listQueues(client, flags));
      return onQueue(name, flags, async (queue) => {
        const jobs = await queue.list({ limit: flags.limit });
        return lines(jobs, `queue ${name} has no jobs`, flags, describeJob);
      });
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('how a job is')
    .argument('<queue>', 'name of the queue')
    .argument('<job>', 'its id')
    .option('--json', 'in one line')
    .action((name: string, job: string, flags: JsonFlags) =>
      onQueue(name, flags, async (queue) => {
        const status = await queue.status(job);
        if (status === null) throw await jobMissing(queue, job);
        return JSON.stringify(status, null, flags.json === true ? 0 : 2);
      }),
    );
}

function addCommand(): Command {
  return new Command('add')
    .description('add a job')
    .argument('<queue>', 'name of the queue')
    .argument('<data>', 'its data, as JSON; no schema is looked at here, but by the worker')
    .option('--priority <number>', 'higher goes first', Number, 0)
    .option('--delay <ms>', 'not before so many milliseconds have passed', Number, 0)
    .option('--key <key>', 'not if a job with this key is there')
    .option('--group <group>', 'what it counts with where rates are limited')
    .action((name: string, data: string, flags: AddFlags) =>
      onQueue(
        name,
        flags,
        (queue) => {
          const { priority, delay: delayMs, key, group } = flags;
          return queue.enqueue(dataOf(data), { priority, delayMs, key, group });
        },
        { mayBeNew: true },
      ),
    );
}

function cancelCommand(): Command {
  return new Command('cancel')
    .description('end a job, whether it waits or is being done')
    .argument('<queue>', 'name of the queue')
    .argument('<job>', 'its id')
    .option('--reason <text>', 'what whoever waits for it is told')
    .action((name: string, job: string, flags: EnsembleFlags & { readonly reason?: string }) =>
      onQueue(name, flags, async (queue) => {
        const wasThere = await queue.cancel(job, { reason: flags.reason });
        if (!wasThere) throw await jobMissing(queue, job);
        return `cancelled ${job}`;
      }),
    );
}

function pauseCommand(): Command {
  return new Command('pause')
    .description('have no job begun, by nobody, until it is resumed')
    .argument('<queue>', 'name of the queue')
    .action((name: string, flags: EnsembleFlags) =>
      onQueue(name, flags, async (queue) => {
        await queue.pause();
        return `queue ${name} is paused`;
      }),
    );
}

function resumeCommand(): Command {
  return new Command('resume')
    .description('have jobs begun again')
    .argument('<queue>', 'name of the queue')
    .action((name: string, flags: EnsembleFlags) =>
      onQueue(name, flags, async (queue) => {
        await queue.resume();
        return `queue ${name} goes on`;
      }),
    );
}

function deadListCommand(): Command {
  return new Command('list')
    .description('dead letters, oldest job first')
    .argument('<queue>', 'name of the queue')
    .option('--limit <number>', 'at most so many', positiveInteger, 20)
    .option('--json', 'one JSON object for each instead of text')
    .action((name: string, flags: ListFlags) =>
      onQueue(name, flags, async (queue) => {
        const ids = (await queue.deadLetters()).slice(0, flags.limit);
        const letters = await Promise.all(ids.map((id) => queue.deadLetter(id)));
        const found = letters.filter((letter) => letter !== null);
        return lines(found, `queue ${name} has no dead letters`, flags, describeLetter);
      }),
    );
}

function deadShowCommand(): Command {
  return new Command('show')
    .description('a dead letter, with its data')
    .argument('<queue>', 'name of the queue')
    .argument('<job>', 'its id')
    .action((name: string, job: string, flags: EnsembleFlags) =>
      onQueue(name, flags, async (queue) => {
        const letter = await queue.deadLetter(job);
        if (letter === null) throw await jobMissing(queue, job);
        return JSON.stringify(letter);
      }),
    );
}

function redriveCommand(): Command {
  return new Command('redrive')
    .description('make dead letters jobs again, with no attempts counted')
    .argument('<queue>', 'name of the queue')
    .argument('[job]', 'its id; all of them if left out')
    .action((name: string, job: string | undefined, flags: EnsembleFlags) =>
      onQueue(name, flags, async (queue) => {
        if (job !== undefined && (await queue.deadLetter(job)) === null) throw await jobMissing(queue, job);
        if (job !== undefined) return await queue.revive(job);
        return `${await queue.reviveAll()} jobs are to be done again`;
      }),
    );
}

function removeCommand(): Command {
  return new Command('remove')
    .description('remove a dead letter')
    .argument('<queue>', 'name of the queue')
    .argument('<job>', 'its id')
    .action((name: string, job: string, flags: EnsembleFlags) =>
      onQueue(name, flags, async (queue) => {
        if ((await queue.deadLetter(job)) === null) throw await jobMissing(queue, job);
        await queue.removeDeadLetter(job);
        return `removed ${job}`;
      }),
    );
}

/** Prints what `task` resolves to. A queue that no process has used is most likely misspelt, and refused. */
function onQueue(
  name: string,
  flags: EnsembleFlags,
  task: (queue: WorkQueue) => Promise<string>,
  { mayBeNew = false }: { readonly mayBeNew?: boolean } = {},
): Promise<void> {
  return onEnsemble(flags, async (client: Client) => {
    const queue = new WorkQueue(client, name);
    if (!mayBeNew) await requireQueue(queue, client);
    const text = await task(queue);
    print(text === '' ? '' : `${text}\n`);
  });
}

async function requireQueue({ name, path }: WorkQueue, client: Client): Promise<void> {
  if ((await client.exists(path)) !== null) return;
  const names = await new Queues(client).names();
  throw new QuorateError(
    'QUEUE_MISSING',
    `There is no queue ${JSON.stringify(name)}: no process has used one of this name${whatThereIs(name, names)}.`,
    { fields: { queue: name } },
  );
}

async function jobMissing(queue: WorkQueue, job: string): Promise<QuorateError> {
  const jobs = (await queue.list({ limit: MOST_COMPARED })).map(({ id }) => id);
  const ids = [...jobs, ...(await queue.deadLetters()).slice(0, MOST_COMPARED)];
  return new QuorateError(
    'JOB_MISSING',
    `Queue ${queue.name} has no job ${JSON.stringify(job)}${didYouMean(job, ids)}, or nothing is kept of it any more. ` +
      `List them: quorate queue list ${queue.name}, quorate queue dead list ${queue.name}.`,
    { fields: { queue: queue.name, job } },
  );
}

async function listQueues(client: Client, flags: ListFlags): Promise<void> {
  const names = (await new Queues(client).names()).slice(0, flags.limit);
  for (const name of names) {
    const counts = await new WorkQueue(client, name).counts();
    print(
      flags.json === true
        ? `${JSON.stringify({ name, ...counts })}\n`
        : `${printableLine(name)}: ${describeCounts(counts)}\n`,
    );
  }
  if (names.length === 0 && flags.json !== true) print('no process has used a queue\n');
}

function describeCounts({ jobs, delayed, dead, consumers, isPaused }: QueueCounts): string {
  return (
    `${jobs} jobs, ${delayed} of them put back for a later attempt; ${dead} dead letters; ` +
    `${consumers} consumers${isPaused ? '; paused' : ''}`
  );
}

function dataOf(json: string): unknown {
  try {
    return parseJson(json);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new QuorateError(
      'INVALID_ARGUMENT',
      `The data of a job must be JSON (${error.message}). Quote it for the shell: '{"name":"Anna"}'.`,
    );
  }
}

function lines<Item>(
  items: readonly Item[],
  ifNone: string,
  flags: JsonFlags,
  describe: (item: Item) => string,
): string {
  if (flags.json === true) return items.map((item) => JSON.stringify(item)).join('\n');
  return items.length === 0 ? ifNone : items.map(describe).join('\n');
}

function describeJob({ id, state, attempts, dueAt, failure, progress }: JobStatus): string {
  const details = [
    dueAt === undefined ? '' : `not before ${new Date(dueAt).toISOString()}`,
    attempts === 0 ? '' : `attempts: ${attempts}`,
    progress === undefined ? '' : `progress: ${JSON.stringify(progress)}`,
    failure === undefined ? '' : `failed: ${failure}`,
  ];
  return printableLine([state.padEnd(8), id, ...details.filter((detail) => detail !== '')].join('  '));
}

function describeLetter({ id, attempts, failedAt, failure }: DeadLetter): string {
  return printableLine(`${new Date(failedAt).toISOString()}  ${id}  after ${attempts} attempts: ${failure}`);
}
