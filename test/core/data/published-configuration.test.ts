import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SnapshotReader, StateMachine } from '../../../core/data/index.js';
import { ErrorCode, OPEN_ACL, OpCode } from '../../../core/protocol/index.js';
import { bytes, EnsembleOfOne } from './ensemble-of-one.js';

const PATH = '/zookeeper/config';
const TEXT = 'server.1=a:7300:7300:participant\nversion=0';
const SUPER = { identities: [{ scheme: 'super', id: '' }] };

function published(): EnsembleOfOne {
  const ensemble = new EnsembleOfOne();
  ensemble.machine.publish(bytes(TEXT));
  return ensemble;
}

const set = (data: string, version = -1) =>
  ({ op: OpCode.setData, body: { path: PATH, data: bytes(data), version } }) as const;

test('what a member was started with is shown with the stat that ZooKeeper shows, by every read', () => {
  const ensemble = published();
  const stat = ensemble.stat(PATH);

  assert.is(ensemble.data(PATH), TEXT);
  assert.equal([stat.version, stat.aversion, stat.mzxid, stat.dataLength], [-1, -1, 0n, TEXT.length]);
  const { reply } = ensemble.read({
    op: OpCode.multiRead,
    body: {
      ops: [
        { op: OpCode.getData, body: { path: PATH, watch: false } },
        { op: OpCode.getChildren, body: { path: PATH, watch: false } },
      ],
    },
  });
  assert.equal(reply, {
    op: OpCode.multiRead,
    body: {
      results: [
        { reply: { op: OpCode.getData, body: { data: bytes(TEXT), stat } } },
        { reply: { op: OpCode.getChildren, body: { children: [] } } },
      ],
    },
  });
});

test('it is no part of the state that members have in common', () => {
  const machine = new StateMachine();
  machine.publish(bytes(TEXT));
  assert.is(machine.digest, new StateMachine().digest);
  assert.is(machine.dataBytes, 0);

  const reader = new SnapshotReader();
  const snapshot = machine.snapshot();
  for (let piece = snapshot.next(1_000); piece !== null; piece = snapshot.next(1_000)) reader.push(piece);

  const { reply } = reader
    .finish()
    .read({ op: OpCode.getData, body: { path: PATH, watch: false } }, { sessionId: 0n, identities: [] });
  assert.equal(reply?.op === OpCode.getData ? reply.body.data : null, new Uint8Array(0));
});

test('what super writes takes its place, and counts on from its version', () => {
  const ensemble = published();
  assert.is(ensemble.error(set('x')), ErrorCode.noAuth);
  ensemble.propose(set('other'), SUPER);
  ensemble.propose(set('another', 0), SUPER);

  assert.equal([ensemble.commit().error, ensemble.commit().error], [ErrorCode.ok, ErrorCode.ok]);

  assert.is(ensemble.data(PATH), 'another');
  assert.is(ensemble.stat(PATH).version, 1);
});

test('another ACL does not hide it', () => {
  const ensemble = published();
  const reply = ensemble.reply(
    { op: OpCode.setAcl, body: { path: PATH, acl: OPEN_ACL, version: -1 } },
    SUPER,
  );

  assert.is(ensemble.data(PATH), TEXT);
  assert.equal(reply, { op: OpCode.setAcl, body: { stat: ensemble.stat(PATH) } });
  assert.is(ensemble.stat(PATH).version, -1);
});

test.run();
