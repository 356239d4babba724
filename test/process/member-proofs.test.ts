/** An ensemble that changes from a secret to certificates while a client works. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../core/client/index.js';
import { silentLogger } from '../../core/runtime/index.js';
import { Certificates } from '../certificates/certificates.js';
import { DIE_WITH_PARENT, freePort } from './ensemble-process.js';
import { MemberProcess, until } from './member-process.js';

const IDS = [1, 2, 3];
const START_MS = 120_000;
const certificates = new Certificates();
const { ca, server, client: admin } = certificates;

let data = '';
let members: MemberProcess[] = [];
test.before(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-proofs-'));
  await writeFile(join(data, 'secret'), 'a secret that all members have', { mode: 0o600 });
});
test.after(async () => {
  await Promise.all(members.map((member) => member.kill('SIGKILL')));
  await rm(data, { recursive: true, force: true });
  certificates[Symbol.dispose]();
});

const SECRET = ['--secret-file', 'SECRET'];
const CA = ['--tls-ca', ca.certFile];
/** What the members are restarted with, step by step. */
const STEPS: readonly (readonly string[])[] = [
  [...SECRET, ...CA],
  [...SECRET, ...CA, '--member-auth', 'secret,certificate'],
  [...SECRET, ...CA, '--member-auth', 'certificate,secret'],
  [...CA, '--super-user', 'x509:CN=client,O=Quorate'],
];

function launch(id: number, list: string, step: readonly string[]): MemberProcess {
  const own = ['--id', `${id}`, '--ensemble', list, '--data', join(data, `${id}`)];
  const tls = ['--tls-cert', server.certFile, '--tls-key', server.keyFile];
  const flags = step.map((flag) => (flag === 'SECRET' ? join(data, 'secret') : flag));
  // The port of the list, in place of the one that a member alone would be given.
  const port = new RegExp(`${id}=wss://127.0.0.1:(\\d+)`).exec(list)![1]!;
  return MemberProcess.spawn([...own, ...tls, '--port', port, ...flags], {}, DIE_WITH_PARENT);
}

async function ready(member: MemberProcess): Promise<void> {
  await until(() => /ready at/.test(member.readyLine) || !member.isRunning, 'a member that serves', START_MS);
  assert.ok(member.isRunning, member.log.slice(-2_000));
}

test('members change from a secret to certificates one by one, and no write fails and no session ends', async () => {
  const ports: number[] = [];
  for (const _ of IDS) ports.push(await freePort(ports));
  const list = IDS.map((id, index) => `${id}=wss://127.0.0.1:${ports[index]}`).join(',');
  members = IDS.map((id) => launch(id, list, STEPS[0]!));
  await Promise.all(members.map(ready));
  const url = `wss://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  const trusting = { tls: { ca: ca.cert }, sessionTimeoutMs: 30_000, logger: silentLogger };
  await using client = await connect(url, trusting);
  const { id: sessionId } = client.session;
  await client.create('/held', '', { mode: 'ephemeral' });
  await client.create('/n', '');
  let writes = 0;
  const work = { isOver: false };
  const working = (async () => {
    while (!work.isOver) {
      await client.setData('/n', `${writes}`);
      writes += 1;
    }
  })();
  working.catch(() => undefined);

  for (const step of STEPS.slice(1)) {
    for (const [index, id] of IDS.entries()) {
      assert.equal(await members[index]!.kill('SIGTERM'), { code: 0, signal: null });
      members[index] = launch(id, list, step);
      await ready(members[index]);
      const before = writes;
      await until(() => writes > before + 5, 'writes after the restart', START_MS);
    }
  }
  work.isOver = true;
  await working;
  assert.is(client.session.id, sessionId);
  assert.is((await client.exists('/held'))?.ephemeralOwner, sessionId);
  console.log(`# ${writes} writes while every member was restarted three times`);

  // The certificate that superUser names passes every ACL; no other client does.
  await client.create('/closed', 'x', { acl: [{ perms: 31, id: { scheme: 'digest', id: 'nobody:x' } }] });
  const refusal = await client.getData('/closed').catch((error: { code: string }) => error.code);
  assert.is(refusal, 'NO_AUTH');
  const { cert, key } = admin;
  await using root = await connect(url, { ...trusting, tls: { ca: ca.cert, cert, key } });
  assert.is(new TextDecoder().decode((await root.getData('/closed')).data), 'x');

  // Who has the secret alone is no member any more.
  await members[2]!.kill('SIGTERM');
  const stranger = launch(3, list, STEPS[0]!);
  await until(
    () => /has another secret|presented no certificate/.test(members[0]!.log + stranger.log),
    'the refusal',
    START_MS,
  );
  await stranger.kill('SIGKILL');
});

test.run();
