import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complete } from '../../../../plugins/cli/shell/completion.js';
import { HISTORY_LIMIT, HistoryFile } from '../../../../plugins/cli/shell/history-file.js';
import { converse, runScript } from '../../../../plugins/cli/shell/interactive.js';
import { TerminalOutput } from '../../../../plugins/cli/shell/shell-output.js';
import { ShellBench, until } from './embedded-shell.js';

const test = suite<{ bench: ShellBench; directory: string }>('talking with the shell');

test.before.each(async (context) => {
  context.bench = await ShellBench.start();
  context.directory = mkdtempSync(join(tmpdir(), 'quorate-shell-'));
});

test.after.each(async ({ bench, directory }) => {
  await bench[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** Somebody at a terminal. */
function sitDown(bench: ShellBench, directory: string) {
  const input = new PassThrough();
  const screen = new PassThrough();
  let seen = '';
  screen.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  const history = new HistoryFile(join(directory, 'history'));
  const ended = converse(bench.shell, input, new TerminalOutput(screen), history);
  return {
    type: (text: string) => input.write(text),
    sees: (text: string) => until(() => stripVTControlCharacters(seen).includes(text)),
    hangUp: () => input.end(),
    ended,
  };
}

test('a script is carried out line by line up to quit, and tells how its last command went', async ({
  bench,
}) => {
  const script = new PassThrough();
  script.end('create /a 1\n\nget /none\nquit\ncreate /never');

  assert.is(await runScript(bench.shell, script), true);

  assert.equal(bench.output.printed, ['Created /a']);
  assert.equal(bench.output.errors, ['Node does not exist: /none']);
  assert.is(await bench.other.exists('/never'), null);
});

test('a script whose last command fails has failed', async ({ bench }) => {
  const script = new PassThrough();
  script.end('create /a 1\nget /none');

  assert.is(await runScript(bench.shell, script), false);
});

test('the prompt tells the server, its state, and the number of the command', async ({
  bench,
  directory,
}) => {
  const terminal = sitDown(bench, directory);
  await terminal.sees('[quorate: ws://bench(CONNECTED) 0] ');

  terminal.type('create /a\r');

  await terminal.sees('[quorate: ws://bench(CONNECTED) 1] ');
  terminal.type('quit\r');
  assert.is(await terminal.ended, true);
  assert.ok(await bench.other.exists('/a'));
});

test('commands typed ahead are carried out in order', async ({ bench, directory }) => {
  const terminal = sitDown(bench, directory);

  terminal.type('create /a\rcreate /a/b\rdelete /a/b\rdelete /a\rcreate -e /a\rquit\r');

  assert.is(await terminal.ended, true);
  assert.equal(bench.output.errors, []);
  assert.equal(bench.output.printed, ['Created /a', 'Created /a/b', 'Created /a']);
});

test('Tab completes commands and paths', async ({ bench, directory }) => {
  await bench.other.create('/services', null);
  const terminal = sitDown(bench, directory);

  terminal.type('getAl\t');
  await terminal.sees('getAllChildrenNumber');
  terminal.type(' /ser\t');
  await terminal.sees('getAllChildrenNumber /services');
  terminal.hangUp();
  await terminal.ended;
});

test('Ctrl-C ends the shell, also while a command waits', async ({ bench, directory }) => {
  const terminal = sitDown(bench, directory);
  await bench.other.close();
  await bench.member.close();
  await until(() => bench.shell.client!.state !== 'connected');
  terminal.type('ls /\r');

  terminal.type('\u0003');

  assert.is(await terminal.ended, false);
});

test('what is printed while a line is typed does not tear it apart', () => {
  const screen = new PassThrough();
  const output = new TerminalOutput(screen);
  const written = (): string => String(screen.read());
  output.setTyping(() => screen.write('prompt> half a li'));

  output.print('an event');

  assert.is(written(), '\r\u001b[Jan event\nprompt> half a li');
  output.setTyping(null);
  output.printError('a result');
  assert.is(written(), 'a result\n');
});

test('the first word completes to commands, a path to znodes, anything else to nothing', async ({
  bench,
}) => {
  for (const path of ['/app', '/app/one', '/app/other', '/apple']) await bench.other.create(path);
  const { client } = bench.shell;

  assert.equal(await complete('setq', client), [['setquota'], 'setq']);
  assert.equal(await complete('  setA', client), [['setAcl'], 'setA']);
  assert.equal(await complete('get /app', client), [['/app', '/apple'], '/app']);
  assert.equal(await complete('get -s /app/o', client), [['/app/one', '/app/other'], '/app/o']);
  assert.equal(await complete('get /none/x', client), [[], '/none/x']);
  assert.equal(await complete('get -', client), [[], '-']);
  assert.equal(await complete('get /app', null), [[], '/app']);
  assert.ok((await complete('', client))[0].includes('create'));
});

test('history outlives the shell, in a file for its owner only, without passwords', ({ directory }) => {
  const file = join(directory, 'history');
  const history = new HistoryFile(file);

  for (const line of ['ls /', ' get /a ', '', 'addauth digest alice:secret', '"addauth" x "'])
    history.add(line);

  assert.is(readFileSync(file, 'utf8'), 'ls /\nget /a\n');
  assert.is(statSync(file).mode & 0o777, 0o600);
  assert.equal(new HistoryFile(file).load(), ['ls /', 'get /a']);
});

test('history is cut when it has grown to twice what is kept', ({ directory }) => {
  const file = join(directory, 'history');
  const lines = Array.from({ length: 2 * HISTORY_LIMIT + 1 }, (_, index) => `get /${index}`);
  writeFileSync(file, `${lines.join('\n')}\n`);

  assert.equal(new HistoryFile(file).load(), lines.slice(-HISTORY_LIMIT));
  assert.is(readFileSync(file, 'utf8').trim().split('\n').length, HISTORY_LIMIT);
});

test('a history that cannot be read or written is no history, and no error', ({ directory }) => {
  const history = new HistoryFile(directory);

  history.add('ls /');

  assert.equal(history.load(), []);
});

test.run();
