import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BACKUP_SUBPROTOCOL,
  serve,
  verifyBackup,
  type ServeOptions,
} from '../../../../../core/server/index.js';
import { BackupService } from '../../../../../core/server/process/backups/backup-service.js';
import { Authentication } from '../../../../../core/server/clients/index.js';
import type { Member } from '../../../../../core/server/member/index.js';
import { resolveServerOptions } from '../../../../../core/server/configuration/index.js';
import { silentLogger, SystemClock } from '../../../../../core/runtime/index.js';
import {
  CloseCode,
  WebSocketDialer,
  type CloseReason,
  type Connection,
} from '../../../../../core/transport/index.js';
import { receiveBackup } from '../../../../../plugins/cli/backup/receive.js';

const PASSWORD = 'root:a-long-password';
const SUPER = `root:${createHash('sha1').update(PASSWORD).digest('base64')}`;

let directory = '';
test.before.each(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(directory, { recursive: true, force: true }));

/** The znodes of a backup that a member with these options gives for these identities, or why it gives none. */
async function taken(
  options: Partial<ServeOptions>,
  auth: readonly { readonly scheme: string; readonly auth: string }[] = [],
): Promise<string> {
  await using member = await serve({ data: join(directory, 'data'), port: 0, ...options });
  const flags = { connect: member.address, patience: 5_000, auth };
  return await verifyBackup(receiveBackup(flags), 'backup').then(
    ({ znodes }) => `${znodes}`,
    (error: Error & { readonly code: string }) => `${error.code}: ${error.message}`,
  );
}

test('a member gives a backup to its own machine, and only with the super identity if it has one', async () => {
  const identity = { scheme: 'digest', auth: PASSWORD };
  assert.is(await taken({}), '4');
  assert.match(await taken({ superDigest: SUPER }), /^BACKUP_REFUSED/);
  assert.match(await taken({ superDigest: SUPER }, [{ ...identity, auth: 'root:wrong' }]), /^BACKUP_REFUSED/);
  assert.is(await taken({ superDigest: SUPER }, [identity]), '4');
});

test('a member that requires an identity gives no backup to others than the super identity', async () => {
  const authUsersFile = join(directory, 'users');
  await writeFile(authUsersFile, `${PASSWORD}\n`, { mode: 0o600 });
  assert.match(
    await taken({ requireAuth: true, authUsersFile }, [{ scheme: 'digest', auth: PASSWORD }]),
    /^BACKUP_REFUSED/,
  );
  assert.is(
    await taken({ requireAuth: true, superDigest: SUPER }, [{ scheme: 'digest', auth: PASSWORD }]),
    '4',
  );
});

test('a page in a browser gets no backup', async () => {
  await using member = await serve({ data: join(directory, 'data'), port: 0 });
  const answer = await fetch(`${member.address.replace('ws', 'http')}/backup`, {
    headers: {
      origin: 'https://evil.example',
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-protocol': BACKUP_SUBPROTOCOL,
    },
  }).catch(() => null);
  assert.is.not(answer?.status, 101);
});

/** The first message that somebody at this address gets for an empty request. */
function answerTo(remoteAddress: string): Promise<{ readonly code?: string; readonly message?: string }> {
  const service = new BackupService({
    options: resolveServerOptions({}),
    authentication: () => new Authentication({ superDigest: null, superUser: null, requireAuth: false }),
    member: () => null,
    clock: new SystemClock(),
    logger: silentLogger,
  });
  return new Promise((resolve) => {
    const connection: Connection = {
      remoteAddress,
      bufferedBytes: 0,
      isOpen: true,
      handle: (handlers) => handlers.message(Buffer.from('{}')),
      send: (bytes: Uint8Array) => resolve(JSON.parse(Buffer.from(bytes).toString()) as { code?: string }),
      pause: () => undefined,
      resume: () => undefined,
      close: (_reason?: CloseReason) => undefined,
      terminate: () => undefined,
    };
    service.accept(connection, null);
  });
}

/** What somebody on this machine is sent first for an empty request, and why the connection is closed. */
function asked(service: BackupService): Promise<readonly [string | undefined, CloseReason | undefined]> {
  return new Promise((resolve) => {
    const sent: string[] = [];
    const connection: Connection = {
      remoteAddress: '127.0.0.1:4711',
      bufferedBytes: 0,
      isOpen: true,
      handle: (handlers) => handlers.message(Buffer.from('{}')),
      send: (bytes: Uint8Array) => void sent.push(Buffer.from(bytes).toString()),
      pause: () => undefined,
      resume: () => undefined,
      close: (reason?: CloseReason) => setImmediate(() => resolve([sent[0], reason])),
      terminate: () => undefined,
    };
    service.accept(connection, null);
  });
}

test('a request from another machine is refused by name where no super identity is configured', async () => {
  const { code, message } = await answerTo('192.0.2.7:4711');
  assert.is(code, 'BACKUP_REFUSED');
  assert.match(message!, /--super-digest/);
  for (const own of ['127.0.0.1:4711', '[::1]:4711'])
    assert.is((await answerTo(own)).code, 'BACKUP_UNAVAILABLE');
});

test('backups that fail take no place of later ones', async () => {
  const service = new BackupService({
    options: resolveServerOptions({}),
    authentication: () => new Authentication({ superDigest: null, superUser: null, requireAuth: false }),
    member: () =>
      ({
        health: () => ({ ensemble: null, epoch: 1 }),
        snapshot: () => {
          throw new Error('the snapshot fails');
        },
      }) as unknown as Member,
    clock: new SystemClock(),
    logger: silentLogger,
  });
  for (let attempt = 0; attempt < 4; attempt++) {
    const [answer, reason] = await asked(service);
    assert.equal([answer, reason?.code], ['{}', CloseCode.internalError], `attempt ${attempt}`);
  }
});

test('a connection that asks for no backup ends, and the member serves on', async () => {
  await using member = await serve({ data: join(directory, 'data'), port: 0, handshakeMs: 2_000 });
  const dialer = new WebSocketDialer({ path: '/backup', subprotocol: BACKUP_SUBPROTOCOL });
  const connection = await dialer.dial(member.address, { signal: AbortSignal.timeout(10_000) });
  const reason = await new Promise<CloseReason>((closed) =>
    connection.handle({ message: () => undefined, closed }),
  );
  assert.is(reason.code, CloseCode.abnormal);
  assert.ok(member.health().isServing);
});

test.run();
