import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CreateMode, OpCode, type Request } from '../../../core/protocol/index.js';
import { creates, SampleEnsemble, SESSION } from './sample-ensemble.js';
import { XIDS_PER_USER, type IssuedWrite, type SessionConnection } from './session-ledger.js';

const CONNECTION: SessionConnection = { greetedAt: 0, acceptedAt: 1 };
const remove = (path: string): Request => ({ op: OpCode.delete, body: { path, version: -1 } });

/** An ensemble whose session has asked for `/a`. */
async function scene(): Promise<{
  ensemble: SampleEnsemble;
  ask: (request: Request, xid: number, over?: Partial<IssuedWrite>) => IssuedWrite;
}> {
  const ensemble = await SampleEnsemble.start();
  const ask = (request: Request, xid: number, over: Partial<IssuedWrite> = {}): IssuedWrite => {
    const write = { client: 'c1', connection: CONNECTION, xid, request, users: [], zxid: null, ...over };
    ensemble.sessions.issued(SESSION, write);
    return write;
  };
  ask(creates('/a') as Request, 1);
  return { ensemble, ask };
}

test('transactions come from requests, in their order, and some requests come to nothing', async () => {
  const { ensemble, ask } = await scene();
  ask(creates('/b') as Request, 2);
  ask(creates('/c') as Request, 3);
  ask(remove('/c'), 4);
  await ensemble.write(creates('/b'), 2);
  await ensemble.write(remove('/c'), 4);
  ensemble.sessions.conclude();
});

test('a transaction that nobody asked for is found', async () => {
  const { ensemble } = await scene();
  await ensemble.write(creates('/b'), 2);
  assert.throws(() => ensemble.sessions.conclude(), /comes from no request/);
});

test('a request that takes effect twice is found', async () => {
  const { ensemble, ask } = await scene();
  ask(creates('/b') as Request, 2);
  ask(remove('/b'), 3);
  await ensemble.write(creates('/b'), 2);
  await ensemble.write(remove('/b'), 3);
  await ensemble.write(creates('/b'), 2);
  assert.throws(() => ensemble.sessions.conclude(), /comes from no request, or out of order/);
});

test('requests that take effect in another order are found', async () => {
  const { ensemble, ask } = await scene();
  ask(creates('/b') as Request, 2);
  ask(creates('/c') as Request, 3);
  await ensemble.write(creates('/c'), 3);
  await ensemble.write(creates('/b'), 2);
  assert.throws(() => ensemble.sessions.conclude(), /out of order/);
});

test('a znode of a unique name that is made a second time is found', async () => {
  const { ensemble } = await scene();
  const make = async (digit: number, cxid: number): Promise<unknown> => {
    const path = `/a/_c_${digit}1234567-89ab-4def-8123-456789abcdef-x-`;
    return await ensemble.write(creates(path, CreateMode.ephemeralSequential), cxid);
  };
  await make(0, 2);
  await make(1, 3);
  const message = await make(0, 4).then(String, String);
  assert.match(message, /x-0000000000 and .* come from one create/);
});

test('two who use a session at once each keep their own order', async () => {
  const { ensemble, ask } = await scene();
  ask(creates('/r') as Request, XIDS_PER_USER + 1, { client: 'r1' });
  ask(creates('/b') as Request, 2);
  await ensemble.write(creates('/b'), 2);
  await ensemble.write(creates('/r'), XIDS_PER_USER + 1);
  ensemble.sessions.conclude();
});

test('what comes through a connection that the session has left is found', async () => {
  const { ensemble, ask } = await scene();
  const later: SessionConnection = { greetedAt: 5, acceptedAt: 6 };
  const rival = ask(creates('/r') as Request, XIDS_PER_USER + 1, { client: 'r1', connection: later });
  ask(creates('/b') as Request, 2);
  rival.zxid = (await ensemble.write(creates('/r'), rival.xid)).zxid;
  await ensemble.write(creates('/b'), 2);
  assert.throws(() => ensemble.sessions.conclude(), /that the session 0x77 had left before/);
});

test('a session that is expired while its client may rely on it is found, before and after', async () => {
  const expire = async ({ ensemble }: { ensemble: SampleEnsemble }, now: number): Promise<void> => {
    const entry = ensemble.propose({ op: OpCode.closeSession, body: {} }, 0);
    ensemble.sessions.expiryProposed(entry.zxid, now);
    for (const id of [1, 2]) await ensemble.persist(id, { entries: [entry] });
    ensemble.apply(1, entry);
  };
  const inTime = await scene();
  inTime.ensemble.sessions.proven(SESSION, 500, 1000);
  await expire(inTime, 1500);

  const early = await scene();
  early.ensemble.sessions.proven(SESSION, 500, 1000);
  await assertRejects(() => expire(early, 1499), /was expired at 1499 ms/);

  const answeredLater = await scene();
  await expire(answeredLater, 1499);
  assert.throws(() => answeredLater.ensemble.sessions.proven(SESSION, 500, 1000), /rely on it until 1500/);
});

test('a client that is told that its session is over, when nobody has ended it, is found', async () => {
  const { ensemble } = await scene();
  assert.throws(() => ensemble.sessions.toldExpired(SESSION, () => false), /which nobody has ended/);
  ensemble.sessions.toldExpired(SESSION, () => true);
  await ensemble.write(creates('/e', CreateMode.ephemeral), 2);
  await ensemble.write({ op: OpCode.closeSession, body: {} }, 3);
  ensemble.sessions.toldExpired(SESSION, () => false);
});

async function assertRejects(act: () => Promise<void>, message: RegExp): Promise<void> {
  let found: unknown = null;
  await act().catch((error: unknown) => (found = error));
  assert.match(String(found), message);
}

test.run();
