import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../core/client/index.js';
import { type Served, serve } from '../../../core/server/index.js';
import { readSource, sourcesOf } from '../../house/imports.js';

const QUORATE = fileURLToPath(new URL('../../../plugins/cli/quorate.js', import.meta.url));
const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\r\nok  forged';
// oxlint-disable-next-line no-control-regex -- what terminals obey
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const test = suite<{ member: Served; directory: string }>('output of the quorate command');

test.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'quorate-output-'));
  const { address } = (context.member = await serve({ data: join(context.directory, 'data'), port: 0 }));
  await using client = await connect(address);
  await client.create('/x', `text ${HOSTILE}`);
  await client.create('/rtl\u202egpj');
  await client.create('/who', '', { acl: [{ perms: 31, id: { scheme: 'digest', id: `u:${HOSTILE}` } }] });
  await client.create('/config');
  await client.create('/config/cf', JSON.stringify({ a: HOSTILE }));
  await client.create('/config/cf/history');
  await client.create('/config/cf/history/value-0000000000', JSON.stringify({ a: HOSTILE }));
  await client.create('/config/cf.applied');
  await client.create(
    `/config/cf.applied/${encodeURIComponent(HOSTILE)}`,
    JSON.stringify({ version: 1, state: 'applied', overridden: [HOSTILE] }),
  );
  await client.create('/config/broken', `{"a":${HOSTILE}}`);
});

test.after(async ({ member, directory }) => {
  await member.close();
  rmSync(directory, { recursive: true });
});

function quorate(words: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, [QUORATE, ...words], { timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', () => resolve(output)));
}

const COMMANDS: readonly (readonly string[])[] = [
  ['config', 'get', 'cf'],
  ['config', 'get', 'broken'],
  ['config', 'set', 'cf', `{"a":${HOSTILE}`],
  ['queue', 'list', 'held', '--limit', HOSTILE],
  ['job', 'history', `none${HOSTILE}`],
];

for (const words of COMMANDS) {
  const name = `${words[0]} ${words[1]} ${JSON.stringify(words.slice(2).join(' ')).slice(0, 30)}`;
  test(`${name} writes text of others without what a terminal obeys`, async ({ member }) => {
    const output = await quorate([...words, '--connect', member.address]);
    assert.ok(output !== '');
    assert.not.match(output, RAW, JSON.stringify(output));
  });
}

test('the shell writes data, names, identities and errors without what a terminal obeys', async ({
  member,
}) => {
  const lines = ['get /x', 'ls /', 'ls -R /', 'getAcl /who', `get /none\u001b[2J`, `\u001b[2J`, 'history'];
  const output = await quorate(['shell', '--connect', member.address], `${lines.join('\n')}\n`);
  assert.match(output, /text \\u001b\]0;owned\\u0007/);
  assert.match(output, /rtl\\u202egpj/);
  assert.not.match(output, RAW, JSON.stringify(output));
  assert.not.match(await quorate(['doctor', `/none${HOSTILE}`]), RAW);
});

test('the id of a process cannot add a line to `config applied`', async ({ member }) => {
  const output = await quorate(['config', 'applied', 'cf', '--connect', member.address]);
  assert.is(output.split('\n').length, 2, output);
  assert.match(output, /\\u000d\\nok {2}forged/);
});

test('an identity without a scheme is refused without being quoted', async ({ member }) => {
  const words = ['--auth', 'hunter2', '--connect', member.address];
  const outputs = [
    await quorate(['shell', ...words, 'ls', '/']),
    await quorate(['config', 'get', 'cf', ...words]),
  ];
  for (const output of outputs) {
    assert.match(output, /Give scheme:credentials/);
    assert.not.match(output, /hunter2/);
  }
});

test('every output of the command passes one function', () => {
  const writers = sourcesOf('plugins/cli')
    .filter((file) =>
      /console\.|\b(?:out|err|stream|stdout|stderr|standardError)\.write\(|writeSync/.test(readSource(file)),
    )
    .map((file) => file.replace(/^.*plugins\/cli\//, ''));
  // The logger's lines pass the same function; the shell's output clears the line that is being typed.
  assert.equal(writers.sort(), ['output.ts', 'pino-logger.ts', 'shell/shell-output.ts']);
});

test.run();
