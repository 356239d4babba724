/** Lists of what there is, and what the command says of names that nothing has. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serve, type Served } from '../../../core/server/index.js';
import {
  Application,
  LeaderJobs,
  LeaderJobUnknownError,
  LeaderOnly,
  Locks,
  Queues,
  type Hold,
} from '../../../framework/index.js';
import { configCommand } from '../../../plugins/cli/config.js';
import { jobCommand } from '../../../plugins/cli/job.js';
import { lockCommand } from '../../../plugins/cli/lock.js';
import { queueCommand } from '../../../plugins/cli/queue.js';
import { withSafeOutput } from '../../../plugins/cli/output.js';

@LeaderOnly({ name: 'close-books' })
class CloseBooks {
  run(): void {}
}

interface Context {
  member: Served;
  directory: string;
  application: Application;
}
const test = suite<Context>('lists and names of the quorate command');

test.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'quorate-lists-'));
  context.member = await serve({ data: join(context.directory, 'data'), port: 0 });
  context.application = await Application.start({ connect: context.member.address, declare: [CloseBooks] });
  await context.application.get(Queues).of('invoices').enqueue(1);
});

test.after(async ({ application, member, directory }) => {
  await application.stop();
  await member.close();
  rmSync(directory, { recursive: true });
});

const COMMANDS = { queue: queueCommand, job: jobCommand, lock: lockCommand, config: configCommand };

/** What a command writes and ends with, run in this process. */
async function quorate(
  url: string,
  name: keyof typeof COMMANDS,
  ...words: readonly string[]
): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    Object.assign(process[stream], { write: (text: string | Uint8Array) => (texts[stream] += String(text)) });
  try {
    await withSafeOutput(COMMANDS[name]()).parseAsync([...words, '--connect', url], { from: 'user' });
    return { code: process.exitCode ?? 0, out: texts.stdout, err: texts.stderr };
  } finally {
    // What was assigned hides the stream's own method.
    for (const stream of [process.stdout, process.stderr]) Reflect.deleteProperty(stream, 'write');
    process.exitCode = undefined;
  }
}

test('queues, leader jobs and locks are listed, as text and as JSON', async ({
  member: { address: url },
  application,
}) => {
  const queues = await quorate(url, 'queue', 'list');
  assert.match(queues.out, /^invoices: 1 jobs, .* 0 consumers\n$/);
  assert.is(JSON.parse((await quorate(url, 'queue', 'list', '--json')).out).name, 'invoices');
  assert.match((await quorate(url, 'job', 'list')).out, /^close-books {2}(?:leader \S+|no leader)\n$/);
  assert.is(JSON.parse((await quorate(url, 'job', 'list', '--json')).out).name, 'close-books');
  assert.is((await quorate(url, 'config', 'list')).out, 'no configuration has a value\n');

  const locks = application.get(Locks);
  const held: Hold[] = [await locks.fair('customers/42').acquire(), await locks.try('nightly').acquire()];
  held.push(await locks.semaphore('slots', { permits: 2 }).acquire());
  assert.is((await quorate(url, 'lock', 'list')).out, 'customers/42\nnightly\nslots\n');
  assert.is((await quorate(url, 'lock', 'list', '--json', '--limit', '1')).out, '{"name":"customers/42"}\n');
  for (const hold of held) await hold.release();
});

test('a job is shown as JSON, in one line when asked for', async ({
  member: { address: url },
  application,
}) => {
  const [{ id } = { id: '' }] = await application.get(Queues).of('invoices').list();
  const shown = await quorate(url, 'queue', 'show', 'invoices', id);
  const line = await quorate(url, 'queue', 'show', 'invoices', id, '--json');
  assert.equal(JSON.parse(shown.out), JSON.parse(line.out));
  assert.is(line.out.split('\n').length, 2);
  assert.ok(shown.out.split('\n').length > 2);
});

const WRONG: readonly (readonly [words: readonly [keyof typeof COMMANDS, ...string[]], message: RegExp])[] = [
  [['queue', 'show', 'invoice', 'job-1'], /no queue "invoice".*did you mean "invoices"\?/],
  [['queue', 'pause', 'invioces'], /no queue "invioces".*did you mean "invoices"\?/],
  [['queue', 'counts', 'mail'], /no queue "mail".*there are "invoices"/],
  [
    ['queue', 'cancel', 'invoices', 'job-1'],
    /Queue invoices has no job "job-1".*quorate queue list invoices/,
  ],
  [['queue', 'dead', 'remove', 'invoices', 'job-1'], /Queue invoices has no job "job-1"/],
  [['queue', 'dead', 'redrive', 'invoices', 'job-1'], /Queue invoices has no job "job-1"/],
  [['job', 'trigger', 'close-book'], /no leader job "close-book".*did you mean "close-books"\?/],
  [['job', 'history', 'x'], /no leader job "x".*there are "close-books"/],
  [['config', 'get', 'smtp'], /"smtp" has no value/],
];

for (const [words, message] of WRONG) {
  test(`quorate ${words.join(' ')} ends with 1 and names what is near`, async ({
    member: { address: url },
  }) => {
    const { code, out, err } = await quorate(url, ...words);
    assert.is(code, 1);
    assert.is(out, '');
    assert.match(err, message);
    assert.is(err.trimEnd().split('\n').length, 1);
  });
}

test('LeaderJobs.trigger refuses a job that no process has declared, and takes one of its own application at once', async ({
  member: { address: url },
}) => {
  @LeaderOnly({ name: 'just-now' })
  class JustNow {
    run(): void {}
  }
  await using application = await Application.start({ connect: url, declare: [JustNow] });
  const jobs = application.get(LeaderJobs);
  await jobs.trigger('just-now');
  try {
    await jobs.trigger('close-boks');
    assert.unreachable('it was asked for');
  } catch (error) {
    assert.instance(error, LeaderJobUnknownError);
    assert.match((error as Error).message, /did you mean "close-books"\?/);
  }
});

test.run();
