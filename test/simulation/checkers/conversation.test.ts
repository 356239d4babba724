import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ErrorCode,
  JuteWriter,
  OpCode,
  WatchEventType,
  writeConnectRequest,
  writeConnectResponse,
  writeReply,
  writeRequest,
  writeWatchEvent,
  Xid,
  type Reply,
  type Request,
} from '../../../core/protocol/index.js';
import type { Connection, ConnectionHandlers } from '../../../core/transport/index.js';
import { Conversation } from './conversation.js';
import { EndLedger } from './end-ledger.js';
import { creates, SampleEnsemble, SESSION } from './sample-ensemble.js';
import { statOf } from './tree-model.js';
import { tapped } from './wire-tap.js';

const PASSWORD = new Uint8Array(16);

/** One connection of a client to an ensemble, spoken by the test at both ends. */
class Scene {
  readonly ensemble: SampleEnsemble;
  readonly conversation: Conversation;

  constructor(ensemble: SampleEnsemble) {
    const { ghost, model, sessions } = ensemble;
    this.ensemble = ensemble;
    const ends = new EndLedger();
    const known = { ghost, model, sessions, ends, now: () => 0, wasEndProposed: () => false };
    this.conversation = new Conversation('c1', known);
  }

  static async start(): Promise<Scene> {
    const scene = new Scene(await SampleEnsemble.start());
    scene.greet(SESSION);
    scene.accept(SESSION);
    return scene;
  }

  get end(): bigint {
    return this.ensemble.ghost.end;
  }

  greet(sessionId: bigint, lastZxidSeen = 0n): void {
    this.conversation.sent(
      packet((writer) =>
        writeConnectRequest(writer, {
          protocolVersion: 0,
          lastZxidSeen,
          timeoutMs: 1000,
          sessionId,
          password: PASSWORD,
          readOnly: false,
        }),
      ),
    );
  }

  accept(sessionId: bigint): void {
    this.conversation.received(
      packet((writer) =>
        writeConnectResponse(writer, {
          protocolVersion: 0,
          timeoutMs: 1000,
          sessionId,
          password: PASSWORD,
          readOnly: false,
        }),
      ),
    );
  }

  ask(xid: number, request: Request): void {
    this.conversation.sent(packet((writer) => writeRequest(writer, xid, request.op, request.body as never)));
  }

  answer(xid: number, zxid: bigint, reply: Reply | null, err: ErrorCode = ErrorCode.ok): void {
    this.conversation.received(packet((writer) => writeReply(writer, { xid, zxid, err }, reply)));
  }

  tell(zxid: bigint, path: string): void {
    const event = { type: WatchEventType.dataChanged, path };
    this.conversation.received(packet((writer) => writeWatchEvent(writer, zxid, event)));
  }

  /** What a member that is right answers. */
  truth(request: Request): Reply {
    const context = { sessionId: SESSION, identities: [] };
    return this.ensemble.machine(1).read(request, context).reply!;
  }
}

function packet(write: (writer: JuteWriter) => void): Uint8Array {
  const writer = new JuteWriter();
  write(writer);
  return writer.take();
}

const reads: Request = { op: OpCode.getData, body: { path: '/a', watch: false } };
const sets: Request = { op: OpCode.setData, body: { path: '/a', data: null, version: -1 } };
const syncs: Request = { op: OpCode.sync, body: { path: '/a' } };

test('a conversation in which everything is right is left alone', async () => {
  const scene = await Scene.start();
  scene.ask(5, reads);
  scene.answer(5, scene.end, scene.truth(reads));
  scene.ask(6, sets);
  const { zxid } = await scene.ensemble.write(sets, 6);
  const stat = statOf(scene.ensemble.model.at('/a', zxid)!);
  scene.answer(6, zxid, { op: OpCode.setData, body: { stat } });
  scene.ask(7, syncs);
  scene.answer(7, zxid, { op: OpCode.sync, body: { path: '/a' } });
  assert.is(scene.ensemble.sessions.acknowledged, zxid);
});

test('a session that is not the one asked for, or of which nothing is committed, is found', async () => {
  const other = new Scene(await SampleEnsemble.start());
  other.greet(5n);
  assert.throws(() => other.accept(SESSION), /not its own/);
  const early = new Scene(await SampleEnsemble.start());
  early.greet(0n);
  assert.throws(() => early.accept(9n), /of which nothing is committed/);
  const ended = new Scene(await SampleEnsemble.start());
  ended.greet(SESSION);
  assert.throws(() => ended.accept(0n), /which nobody has ended/);
});

test('replies in another order than the requests are found', async () => {
  const scene = await Scene.start();
  scene.ask(5, reads);
  scene.ask(6, reads);
  assert.throws(() => scene.answer(6, scene.end, scene.truth(reads)), /when 5 was due/);
});

test('a client that is led back in time is found, also across connections', async () => {
  const scene = await Scene.start();
  const before = scene.truth(reads);
  scene.ask(5, reads);
  scene.ask(6, reads);
  scene.answer(5, scene.end, before);
  assert.throws(() => scene.answer(6, scene.end - 1n, before), /is led back in time/);

  const later = new Scene(await SampleEnsemble.start());
  later.greet(SESSION, later.end);
  later.accept(SESSION);
  later.ask(5, reads);
  assert.throws(() => later.answer(5, later.end - 1n, later.truth(reads)), /is led back in time/);
});

test('what was never delivered is not told', async () => {
  const scene = await Scene.start();
  scene.ask(5, reads);
  assert.throws(() => scene.answer(5, scene.end + 1n, scene.truth(reads)), /was ever delivered/);
});

test('a read that sees what its session wrote behind it is found', async () => {
  const scene = await Scene.start();
  scene.ask(5, reads);
  scene.ask(6, sets);
  const { zxid } = await scene.ensemble.write(sets, 6);
  scene.answer(5, zxid, scene.truth(reads));
  const stat = statOf(scene.ensemble.model.at('/a', zxid)!);
  assert.throws(
    () => scene.answer(6, zxid, { op: OpCode.setData, body: { stat } }),
    /an earlier request saw a later write/,
  );
});

test('a write whose reply has the zxid of a later transaction is found', async () => {
  const scene = await Scene.start();
  scene.ask(5, sets);
  const { zxid } = await scene.ensemble.write(sets, 5);
  await scene.ensemble.write(creates('/c'), 6, SESSION);
  const stat = statOf(scene.ensemble.model.at('/a', zxid)!);
  assert.throws(
    () => scene.answer(5, zxid + 1n, { op: OpCode.setData, body: { stat } }),
    /with the zxid 0x100000004/,
  );
});

test('an event without a zxid is allowed while watches are taken up only, and leads nobody back in time', async () => {
  const scene = await Scene.start();
  scene.ask(5, reads);
  scene.answer(5, scene.end, scene.truth(reads));
  assert.throws(() => scene.tell(-1n, '/a'), /which no watch that is taken up waits for/);
});

test('a read that does not fit its zxid is found', async () => {
  const scene = await Scene.start();
  const old = scene.truth(reads);
  await scene.ensemble.write(sets, 1);
  scene.ask(5, reads);
  assert.throws(() => scene.answer(5, scene.end, old), /reads getData \/a at 0x100000003: the reply tells/);
});

test('a stale read is counted, and a stale sync is found', async () => {
  const scene = await Scene.start();
  const [old, before] = [scene.truth(reads), scene.end];
  await scene.ensemble.write(sets, 1);
  scene.ensemble.sessions.told(scene.end);
  scene.ask(5, reads);
  scene.answer(5, before, old);
  assert.is(scene.ensemble.sessions.staleReads, 1);
  scene.ask(6, syncs);
  assert.throws(
    () => scene.answer(6, before, { op: OpCode.sync, body: { path: '/a' } }),
    /has synced to 0x100000002, when 0x100000003 had been told to somebody/,
  );
});

test('a write that is acknowledged without a transaction, or with another outcome, is found', async () => {
  const nothing = await Scene.start();
  const stat = statOf(nothing.ensemble.model.at('/a', nothing.end)!);
  nothing.ask(5, sets);
  const reply: Reply = { op: OpCode.setData, body: { stat } };
  assert.throws(() => nothing.answer(5, nothing.end, reply), /there is no such transaction/);

  const other = await Scene.start();
  other.ask(5, sets);
  const { zxid } = await other.ensemble.write(sets, 5);
  assert.throws(() => other.answer(5, zxid, null, ErrorCode.noNode), /answers -101 to what took effect/);
});

test('a transaction that did what the request did not ask for is found', async () => {
  const scene = await Scene.start();
  scene.ask(5, { op: OpCode.create2, body: (creates('/b') as Extract<Request, { op: 15 }>).body });
  const { zxid } = await scene.ensemble.write(creates('/c'), 5);
  const stat = statOf(scene.ensemble.model.at('/c', zxid)!);
  assert.throws(
    () => scene.answer(5, zxid, { op: OpCode.create2, body: { path: '/c', stat } }),
    /create2 \/b of c1 .* where create \/b was due/,
  );
});

test('a change is told of before it is shown, and only if it is watched', async () => {
  const watched: Request = { op: OpCode.getData, body: { path: '/a', watch: true } };
  const late = await Scene.start();
  late.ask(5, watched);
  late.answer(5, late.end, late.truth(watched));
  await late.ensemble.write(sets, 1);
  late.ask(6, reads);
  assert.throws(() => late.answer(6, late.end, late.truth(reads)), /but not that \/a was dataChanged/);

  const unasked = await Scene.start();
  await unasked.ensemble.write(sets, 1);
  assert.throws(() => unasked.tell(unasked.end, '/a'), /which no watch waits for/);
});

test('pings tell of states too', async () => {
  const scene = await Scene.start();
  scene.conversation.sent(packet((writer) => writeRequest(writer, Xid.ping, OpCode.ping, {})));
  assert.throws(() => scene.answer(Xid.ping, scene.end + 1n, null), /was ever delivered/);
});

test('a tap lets everything through, and looks first at what comes', async () => {
  const scene = new Scene(await SampleEnsemble.start());
  const { referee } = scene.ensemble;
  const sent: Uint8Array[] = [];
  let inner: ConnectionHandlers | null = null;
  const connection = {
    remoteAddress: 'm1',
    bufferedBytes: 0,
    isOpen: true,
    handle: (handlers: ConnectionHandlers) => (inner = handlers),
    send: (bytes: Uint8Array) => sent.push(bytes),
  } as unknown as Connection;
  const tap = tapped(connection, scene.conversation, referee);
  let findingWhenTold: Error | null = null;
  tap.handle({ message: () => (findingWhenTold = referee.finding), closed: () => undefined });

  tap.send(packet((writer) => writeConnectRequest(writer, { ...GREETING, sessionId: 5n })));
  inner!.message(packet((writer) => writeConnectResponse(writer, { ...GREETING, sessionId: SESSION })));

  assert.is(sent.length, 1);
  assert.match(String(findingWhenTold), /not its own/);
});

const GREETING = {
  protocolVersion: 0,
  lastZxidSeen: 0n,
  timeoutMs: 1000,
  password: PASSWORD,
  readOnly: false,
};

test.run();
