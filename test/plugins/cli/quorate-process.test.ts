import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../core/client/index.js';
import {
  Application,
  Config,
  LeaderJobs,
  LeaderOnly,
  Locks,
  onReload,
  schemaOf,
  WorkQueue,
} from '../../../framework/index.js';
import { type Served, serve } from '../../../core/server/index.js';

const QUORATE = fileURLToPath(new URL('../../../plugins/cli/quorate.js', import.meta.url));

const test = suite<{ member: Served; directory: string }>('the quorate command as a process');

test.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'quorate-process-'));
  context.member = await serve({ data: join(context.directory, 'data'), port: 0 });
});

test.after(async ({ member, directory }) => {
  await member.close();
  rmSync(directory, { recursive: true });
});

@Config({
  name: 'smtp',
  schema: schemaOf({
    type: 'object',
    properties: { port: { type: 'integer' }, password: { type: 'string', secret: true } },
  }),
})
class Smtp {
  port = 25;
  password = '';
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function quorate(words: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const options = { timeout: 20_000, env: { ...process.env, ...env } };
  const child = spawn(process.execPath, [QUORATE, ...words], options);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

test('one command is carried out, and its flags are its own', async ({ member }) => {
  const shell = ['shell', '--connect', member.address];

  assert.equal(await quorate([...shell, 'create', '-e', '-s', '/test', 'laogong']), {
    code: 0,
    out: 'Created /test0000000000\n',
    err: '',
  });
  assert.equal(await quorate([...shell, 'ls', '/']), { code: 0, out: '[zookeeper]\n', err: '' });
});

test('a command that fails ends with 1 and says why on the error stream', async ({ member }) => {
  const ended = await quorate(['shell', '--connect', member.address, 'get', '/none']);

  assert.equal(ended, { code: 1, out: '', err: 'Node does not exist: /none\n' });
});

test('commands come from a pipe, line by line', async ({ member }) => {
  const ended = await quorate(
    ['shell', '--connect', `${member.address}/`],
    'create /p "two words"\nget /p\ndelete /p\n',
  );

  assert.equal(ended, { code: 0, out: 'Created /p\ntwo words\n', err: '' });
});

test('without a server it says so in time, and ends with 1', async () => {
  const ended = await quorate(['shell', '--connect', 'ws://127.0.0.1:1', '--patience', '300', 'ls', '/']);

  assert.is(ended.code, 1);
  assert.match(ended.err, /ws:\/\/127\.0\.0\.1:1/);
  assert.is(ended.out, '');
});

test('a connect string or a duration that is none is refused', async () => {
  const badUrl = await quorate(['shell', '--connect', 'nonsense', 'ls', '/']);
  assert.is(badUrl.code, 1);
  assert.match(badUrl.err, /nonsense/);

  const badDuration = await quorate(['shell', '--patience', 'long', 'ls', '/']);
  assert.is(badDuration.code, 1);
  assert.match(badDuration.err, /positive number of milliseconds/);
});

test('it tells its version and its subcommands', async () => {
  assert.match((await quorate(['--version'])).out, /^\d+\.\d+\.\d+/);

  const { out } = await quorate(['--help']);
  assert.match(out, /serve/);
  assert.match(out, /shell/);
});

test('lock explain says who holds a lock and who waits for it', async ({ member }) => {
  const explain = ['lock', 'explain', 'customers/42', '--connect', member.address];
  assert.equal(await quorate(explain), { code: 0, out: '/locks/customers/42 is free\n', err: '' });

  await using client = await connect(member.address);
  const locks = (owner: string): Locks => new Locks(client, owner);
  const hold = await locks('anna').fair('customers/42').acquire();
  const waiting = locks('bert').fair('customers/42').acquire();
  while ((await locks('x').explain('customers/42')).waiters.length === 0);
  const { code, out } = await quorate(explain);
  assert.is(code, 0);
  assert.match(
    out,
    /^\/locks\/customers\/42\n  held     by anna, session 0x\w+, fence 0x\w+, for \d+\.\d s\n/,
  );
  assert.match(out, /  waiting  by bert, /);
  const json = JSON.parse((await quorate([...explain, '--json'])).out) as { holders: { owner: string }[] };
  assert.is(json.holders[0]?.owner, 'anna');
  await hold.release();
  await (await waiting).release();
});

test('job trigger asks for a run, job history tells of it, job candidates who leads', async ({ member }) => {
  const job = (...words: readonly string[]): Promise<Ended> =>
    quorate(['job', ...words, 'books', '--connect', member.address]);

  @LeaderOnly({ name: 'books' })
  class Books {
    run(): void {}
  }
  await using app = await Application.start({ connect: member.address, declare: [Books], id: 'machine-1' });
  const jobs = app.get(LeaderJobs);
  while ((await jobs.history('books'))[0]?.outcome !== 'done');
  assert.equal(await job('trigger'), { code: 0, out: 'asked for a run of books\n', err: '' });
  while ((await jobs.history('books')).filter(({ outcome }) => outcome === 'done').length < 2);
  const { out } = await job('history');
  assert.match(out, /^\S+  triggered  done in \d\.\d s by machine-1\n\S+  election   done in /);
  assert.equal((await job('candidates')).out, 'leads   machine-1\n');
});

test('config sets, gets, compares, lists and rolls back, and shows no secret unasked', async ({ member }) => {
  const config = (...words: readonly string[]): Promise<Ended> =>
    quorate(['config', ...words, '--connect', member.address]);
  assert.match((await config('get', 'smtp')).err, /has no value/);
  await using app = await Application.start({ connect: member.address, declare: [Smtp], id: 'machine-1' });
  assert.is((await config('set', 'smtp', '{"port":"x"}')).code, 1);
  assert.match((await config('set', 'smtp', '{"port":')).err, /not JSON/);
  assert.is((await config('set', 'smtp', '{"port":1,"password":"old"}')).out, 'written, version 0\n');
  assert.is((await config('set', 'smtp', '{"port":2,"password":"hush"}')).out, 'written, version 1\n');
  assert.equal(JSON.parse((await config('get', 'smtp')).out), { port: 2, password: '[secret]' });
  assert.equal(JSON.parse((await config('get', 'smtp', '--secrets')).out), { port: 2, password: 'hush' });
  assert.is(
    (await config('diff', 'smtp')).out,
    '- /password: "[secret]"\n+ /password: "[secret]"\n- /port: 1\n+ /port: 2\n',
  );
  assert.match((await config('history', 'smtp')).out, /^1  \S+  {"port":2,"password":"\[secret\]"}\n0  /);
  assert.is((await config('rollback', 'smtp')).out, 'written, version 2\n');
  const smtp = app.get(Smtp);
  while (smtp.port !== 1) await new Promise((resolve) => onReload(smtp, resolve));
  while (!(await config('applied', 'smtp')).out.includes('version 2'));
  assert.match((await config('applied', 'smtp')).out, /^applied  version 2  \S+  machine-1\n$/);
});

test('a command that reaches no member says so, and ends with 1', async () => {
  const ended = await quorate(['lock', 'explain', 'x', '--connect', 'ws://127.0.0.1:1', '--patience', '200']);
  assert.is(ended.code, 1);
  assert.match(ended.err, /within 200 ms/);
});

test('quorate queue adds, tells of, pauses, cancels and redrives jobs', async ({ member }) => {
  const connectTo = ['--connect', member.address];
  const queueCommand = (...words: string[]): Promise<Ended> => quorate(['queue', ...words, ...connectTo]);
  await using client = await connect(member.address);
  const queue = new WorkQueue<unknown>(client, 'prints');

  const added = await queueCommand('add', 'prints', '{"pages":3}', '--priority', '5');
  const id = added.out.trim();
  assert.match((await queueCommand('pause', 'prints')).out, 'is paused');
  assert.equal((await queue.status(id))?.data, { pages: 3 });
  assert.match((await queueCommand('counts', 'prints')).out, /^1 jobs.*paused/);
  assert.match((await queueCommand('list', 'prints')).out, /^waiting +job-/);
  assert.match((await queueCommand('cancel', 'prints', id)).out, `cancelled ${id}`);
  assert.match((await queueCommand('show', 'prints', id)).out, '"cancelled"');

  const consumer = queue.consume(
    () => {
      throw new Error('no paper');
    },
    { retries: 0 },
  );
  await queueCommand('resume', 'prints');
  const failing = await queue.enqueue('x');
  await queue.result(failing).catch(() => undefined);
  await consumer.drain();
  assert.match((await queueCommand('dead', 'list', 'prints')).out, 'no paper');
  assert.match((await queueCommand('dead', 'redrive', 'prints')).out, '1 jobs');
  assert.is((await queue.counts()).jobs, 1);
  const odd = await queueCommand('add', 'prints', 'no JSON');
  assert.is(odd.code, 1);
  assert.match(odd.err, /must be JSON/);
});

test('a command given a queue, a job or a leader job that is not there names it on the error stream and ends with 1', async ({
  member,
}) => {
  await using client = await connect(member.address);
  await new WorkQueue(client, 'known').enqueue(1);
  const calls: readonly (readonly [words: readonly string[], named: RegExp])[] = [
    [['queue', 'pause', 'typo'], /no queue "typo"/],
    [['queue', 'resume', 'typo'], /no queue "typo"/],
    [['queue', 'counts', 'typo'], /no queue "typo"/],
    [['queue', 'list', 'typo', '--json'], /no queue "typo"/],
    [['queue', 'dead', 'list', 'typo'], /no queue "typo"/],
    [['queue', 'dead', 'redrive', 'typo'], /no queue "typo"/],
    [['queue', 'show', 'known', 'job-typo'], /no job "?job-typo/],
    [['queue', 'cancel', 'known', 'job-typo'], /no job "?job-typo/],
    [['queue', 'dead', 'show', 'known', 'job-typo'], /no job "?job-typo/],
    [['job', 'trigger', 'typo'], /no leader job "typo"/],
    [['job', 'history', 'typo', '--json'], /no leader job "typo"/],
  ];
  for (const [words, named] of calls) {
    const { code, out, err } = await quorate([...words, '--connect', member.address]);
    assert.is(code, 1, words.join(' '));
    assert.is(out, '', words.join(' '));
    assert.match(err, named);
  }
});

test('job history --json of a job that never ran, and queue dead list --json of none, print nothing', async ({
  member,
}) => {
  await using client = await connect(member.address);
  await client.create('/leaders/never', null, { createParents: true });
  await new WorkQueue(client, 'empty').enqueue(1);
  for (const words of [
    ['job', 'history', 'never'],
    ['queue', 'dead', 'list', 'empty'],
  ]) {
    const ended = await quorate([...words, '--json', '--connect', member.address]);
    assert.equal(ended, { code: 0, out: '', err: '' }, words.join(' '));
  }
});

test('shell takes its own flags behind the command too', async ({ member }) => {
  await using client = await connect(member.address);
  await client.create('/behind', null);
  const wanted = { code: 0, err: '' };
  for (const words of [
    ['ls', '/', '--connect', member.address],
    ['ls', '/', `--connect=${member.address}`, '--patience', '5000'],
  ]) {
    const { out, ...rest } = await quorate(['shell', ...words]);
    assert.equal(rest, wanted);
    assert.match(out, 'behind');
  }
  const missing = await quorate(['shell', 'ls', '/', '--connect']);
  assert.is(missing.code, 1);
  assert.match(missing.err, /--connect <url>.*argument missing/);
  const invalid = await quorate(['shell', 'ls', '/', '--patience', 'long']);
  assert.is(invalid.code, 1);
  assert.match(invalid.err, /positive number/);
});

test('QUORATE_CONNECT names the servers of every command that is given no --connect', async ({ member }) => {
  const env = { QUORATE_CONNECT: member.address };
  for (const words of [
    ['shell', 'ls', '/'],
    ['config', 'get', 'none'],
  ]) {
    const { err } = await quorate(words, '', env);
    assert.not.match(err, /connect/i, words.join(' '));
  }
  const { code, out } = await quorate(['shell', 'ls', '/'], '', env);
  assert.is(code, 0);
  assert.match(out, /zookeeper/);
});

test('a command with a wrong argument says how to see what it takes', async () => {
  for (const words of [['queue', 'show'], ['lock', 'list', 'more'], ['--conect']]) {
    const { code, err } = await quorate(words);
    assert.is(code, 1, words.join(' '));
    assert.match(err, /--help/, words.join(' '));
  }
});

test.run();
