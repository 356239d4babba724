/** What others write into the tree, against applications and the `quorate` command, as processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type Client } from '../../core/client/index.js';
import { MemberProcess, until } from '../process/member-process.js';

const QUORATE = fileURLToPath(new URL('../../plugins/cli/quorate.js', import.meta.url));
const PROGRAM = fileURLToPath(new URL('programs/configured.js', import.meta.url));
const HEAP_MIB = 256;
const MOST_RESIDENT_MIB = 350;
const SECRET = 'hunter2';

let directory = '';
let member: MemberProcess;
let client: Client;
const applications: Configured[] = [];
test.before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-hostile-'));
  // A mask that lets others read, in every process of this test.
  process.umask(0o022);
  member = await MemberProcess.start(['--data', join(directory, 'data')]);
  client = await connect(member.address);
  await client.create('/config', '');
});
test.after(async () => {
  for (const application of applications) application.kill();
  await client.close();
  await member.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** An application in a process of its own. */
class Configured {
  output = '';
  isRunning = true;
  readonly #child: ChildProcess;

  constructor(knownGood: string) {
    const heap = `--max-old-space-size=${HEAP_MIB}`;
    this.#child = spawn(process.execPath, [heap, PROGRAM, member.address, knownGood], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.#child.on('exit', () => (this.isRunning = false));
    applications.push(this);
  }

  async printed(text: string): Promise<void> {
    await until(
      () => this.output.includes(text) || !this.isRunning,
      `${text} in ${this.output.slice(-500)}`,
      60_000,
    );
    assert.ok(this.isRunning, this.output.slice(-2_000));
  }

  get residentMib(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8);
}

test('configurations that expand to a hundred million values are refused, and applications keep what they have', async () => {
  await client.create('/config/smtp', '{"host":"mail"}');
  const app = new Configured(join(directory, 'known'));
  await app.printed('host mail');
  const many = (name: string): string =>
    JSON.stringify({ x: Array.from({ length: 40 }, () => ({ $config: name })) });
  for (let level = 5; level >= 1; level--)
    await client.create(`/config/l${level}`, level === 5 ? '{"v":"lol"}' : many(`l${level + 1}`));
  await client.setData('/config/smtp', many('l1'));
  await app.printed('config-refused');
  const again = new Configured(join(directory, 'known'));
  await again.printed('config-refused');
  await client.setData('/config/smtp', '{"host":"mail2"}');
  await Promise.all([app.printed('host mail2'), again.printed('host mail2')]);
  const resident = Math.round(Math.max(app.residentMib, again.residentMib));
  console.log(`# ${resident} MiB resident in an application behind 4 KB of references`);
  assert.ok(resident < MOST_RESIDENT_MIB, `${resident} MiB`);
  app.kill();
  again.kill();
});

test('a malformed or invalid value with a secret in it is reported without the secret', async () => {
  const app = new Configured(join(directory, 'known-2'));
  await app.printed('host mail2');
  for (const bad of [
    `{"host":"mail","password":${SECRET}}`,
    `{"password":"${SECRET}!"}`,
    `{"host":5,"password":"${SECRET}"}`,
  ]) {
    app.output = '';
    await client.setData('/config/smtp', bad);
    await app.printed('config-refused');
    assert.not.match(app.output, new RegExp(SECRET));
  }
  await client.setData('/config/smtp', `{"host":"mail3","password":"${SECRET}"}`);
  await app.printed('host mail3');
  assert.not.match(app.output, new RegExp(SECRET));
  const kept = join(directory, 'known-2', 'smtp.json');
  await until(() => readFileSync(kept, 'utf8').includes('mail3'), 'the last known good value');
  app.kill();
});

test('the last known good configuration is private, has no secret, and follows no planted link', async () => {
  const [known, victim] = [join(directory, 'known-3'), join(directory, 'victim')];
  writeFileSync(victim, 'precious');
  mkdirSync(known, { mode: 0o700 });
  symlinkSync(victim, join(known, 'smtp.json.new'));
  const app = new Configured(known);
  await app.printed('host mail3');
  await client.setData('/config/smtp', `{"host":"mail4","password":"${SECRET}"}`);
  await app.printed('host mail4');
  app.kill();
  assert.is(readFileSync(victim, 'utf8'), 'precious');
  assert.ok(lstatSync(join(known, 'smtp.json.new')).isSymbolicLink());

  // What the application of the test before has left.
  const kept = join(directory, 'known-2', 'smtp.json');
  assert.equal([modeOf(join(directory, 'known-2')), modeOf(kept)], ['700', '600']);
  assert.match(readFileSync(kept, 'utf8'), /mail3/);
  assert.not.match(readFileSync(kept, 'utf8'), new RegExp(SECRET));
});

test('the data directory of a member has the mode 0700 and its files 0600', () => {
  const data = join(directory, 'data');
  assert.is(modeOf(data), '700');
  const files = readdirSync(data).map((name) => `${modeOf(join(data, name))} ${name}`);
  assert.equal(
    files.filter((file) => !file.startsWith('600 ')),
    [],
  );
  assert.ok(files.length > 1);
});

test('a secret file that others can read is warned of, and refused with the flag', async () => {
  const secret = join(directory, 'secret');
  writeFileSync(secret, 'sixteen characters or more', { mode: 0o644 });
  const flags = ['--data', join(directory, 'loose'), '--secret-file', secret];
  const warned = await MemberProcess.start(flags);
  await until(() => warned.log.includes(secret), 'the warning');
  await warned.kill('SIGKILL');
  const refused = MemberProcess.spawn([...flags, '--refuse-loose-files']);
  assert.is((await refused.exited).code, 1);
  assert.ok(refused.log.includes(secret));
});

test('a published schema with a pattern of exponential time does not hang `quorate config set`', async () => {
  const schema = { properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
  await client.create('/config/slow', '{}');
  await client.create('/config/slow.schema', JSON.stringify({ schema, defaults: {} }));
  const value = JSON.stringify({ a: `${'a'.repeat(40)}!` });
  const child = spawn(process.execPath, [
    QUORATE,
    'config',
    'set',
    'slow',
    value,
    '--connect',
    member.address,
  ]);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.is(code, 1);
  assert.match(output, /schema/);
  assert.is(new TextDecoder().decode((await client.getData('/config/slow')).data), '{}');
});

test.run();
