import { MemberMessageWriter } from '../../../core/server/pipeline/member-message.js';
import { DiallerHandshake, peerKey } from '../../../core/server/peers/peer-handshake.js';
import { OpCode } from '../../../core/protocol/index.js';
import type { Connection } from '../../../core/transport/index.js';
import { encodePeerMessage, type PeerMessage } from '../../../core/zab/index.js';
import { SECRET } from '../arena.js';
import { type Attacker, turn } from '../attacker.js';
import { Draw } from '../draw.js';

const LISTED_ID = 4;
const ROLES = ['looking', 'following', 'leading', 'observing'] as const;
const STANDINGS = ['full', 'founding', 'new', 'rejoining', 'ambiguous', 'empty', 'damaged'] as const;

/** Somebody at the address for members: without the secret, or with it as an observer that sends nonsense. */
export const peerMessages: Attacker = async (arena, draw, tried) => {
  const connection = await arena.dialPeer(draw.pick([1, 1, 2]));
  const knowsSecret = draw.chance(0.5);
  const handshake = handshakeOf(draw, knowsSecret);
  // Answers come at any time: they must not change what is drawn for the messages.
  const answers = new Draw(draw.int(0, 0x7fffffff));
  const state = { isOver: false, isKnown: false };
  connection.handle({
    message: (bytes) => {
      if (state.isKnown || state.isOver) return;
      try {
        const { send, peer } = handshake.receive(bytes);
        if (send !== null) connection.send(knowsSecret ? send : answers.mutated(send, 0.8));
        state.isKnown = peer !== null;
      } catch {
        // The member has proved less than a member would; an attacker goes on all the same.
      }
    },
    closed: () => (state.isOver = true),
  });
  tried('peer handshakes');
  connection.send(knowsSecret ? handshake.hello : draw.mutated(handshake.hello, 0.7));
  for (let waited = 0; waited < 60 && !state.isKnown && !state.isOver; waited++) await turn();
  for (let count = draw.int(1, 20); count > 0 && !state.isOver; count--) {
    tried('peer messages');
    sendMessage(connection, draw);
    if (draw.chance(0.4)) await turn();
  }
  await turn(draw.int(0, 20));
  if (draw.chance(0.5)) connection.terminate();
  else connection.close();
};

function handshakeOf(draw: Draw, knowsSecret: boolean): DiallerHandshake {
  return new DiallerHandshake(
    {
      id: knowsSecret ? LISTED_ID : draw.pick([1, 2, 3, 4, 0, 5, 254, -1]),
      ensemble: draw.chance(0.9) ? 'voters 1' : draw.pick(['', 'voters 1, 2', 'x'.repeat(5_000)]),
      keys: [knowsSecret ? peerKey(SECRET) : draw.bytes(32)],
      others: [1, 2, 3],
    },
    draw.chance(0.9) ? 1 : draw.edge(),
    draw.bytes(32),
  );
}

function sendMessage(connection: Connection, draw: Draw): void {
  const message = draw.mutated(encodePeerMessage(messageOf(draw)), 0.15);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(draw.chance(0.97) ? message.length : draw.edge() >>> 0);
  const kind = draw.chance(0.95) ? 0 : draw.int(1, 6);
  const frame = Buffer.concat([Buffer.of(kind), ...(kind === 0 ? [length] : []), message]);
  connection.send(draw.mutated(frame, 0.05));
}

/** A message that a member could send, with fields that fit nothing. */
function messageOf(draw: Draw): PeerMessage {
  const epoch = draw.chance(0.6) ? draw.int(0, 3) : draw.int(0, 0x7fffffff);
  const zxid = (): bigint =>
    draw.chance(0.6) ? BigInt(draw.int(0, 5)) << 32n : BigInt.asUintN(63, draw.edgeLong());
  const epochs = draw.chance(0.5) ? [] : [{ epoch: 1, lastZxid: (1n << 32n) + BigInt(draw.int(0, 9)) }];
  const standing = draw.pick(STANDINGS);
  const attempt = draw.int(0, 3);
  const vote = { leader: draw.int(0, 5), epoch: draw.int(0, 3), zxid: zxid() };
  const entries = draw.list(3, () => ({ zxid: zxid(), payload: draw.bytes(draw.int(0, 60)) }));
  const payload = draw.bytes(draw.int(0, 40));
  const messages: readonly PeerMessage[] = [
    {
      type: 'notification',
      state: draw.pick(ROLES),
      round: draw.int(0, 9),
      vote,
      standing,
      mayHold: zxid(),
      claim: zxid(),
      canLead: draw.chance(0.5),
      isBehind: draw.chance(0.5),
    },
    { type: 'learnerInfo', attempt, acceptedEpoch: epoch, standing, mayHold: zxid() },
    { type: 'newEpoch', attempt, epoch },
    { type: 'ackEpoch', epoch, isPromise: true, needsSnapshot: draw.chance(0.5), lastZxid: zxid(), epochs },
    { type: 'diff', epoch, after: zxid() },
    { type: 'trunc', epoch, after: zxid() },
    { type: 'lend', epoch, lastZxid: zxid(), epochs },
    { type: 'snap', epoch, zxid: zxid(), epochs },
    { type: 'snapshotChunk', epoch, bytes: payload, isLast: draw.chance(0.5) },
    { type: 'snapshotAck', epoch, chunks: draw.int(0, 100) },
    { type: 'proposal', epoch, entries, commit: zxid() },
    { type: 'inform', epoch, entries },
    { type: 'ack', epoch, zxid: zxid() },
    { type: 'commit', epoch, zxid: zxid() },
    { type: 'upToDate', epoch, commit: zxid() },
    { type: 'ping', epoch, nonce: draw.int(0, 100), heard: draw.int(0, 100), payload },
    { type: 'pong', epoch, nonce: draw.int(0, 100), payload },
    { type: 'handOver', epoch, leader: draw.int(0, 5), round: draw.int(0, 9) },
    { type: 'readmit', epoch },
    { type: 'readmitted', epoch },
    { type: 'application', epoch, bytes: applicationOf(draw) },
  ];
  return draw.pick(messages);
}

/** What a learner asks of its leader for its clients, of sessions that do not exist and without an identity. */
function applicationOf(draw: Draw): Uint8Array {
  const writer = new MemberMessageWriter(draw.int(0, 5));
  const token = draw.int(0, 5);
  const sessionId = draw.edgeLong();
  writer.learner({ type: 'revalidate', token, sessionId });
  if (draw.chance(0.5)) writer.learner({ type: 'sync', token });
  if (draw.chance(0.5)) writer.learner({ type: 'touched', stamp: draw.int(0, 1e6), sessionIds: [sessionId] });
  if (draw.chance(0.5)) writer.learner({ type: 'digests', points: [{ zxid: sessionId, digest: sessionId }] });
  const body = { path: '/open/p', data: draw.bytes(9), acl: [], flags: 0, ttlMs: 0 };
  const request = { op: OpCode.create, body } as const;
  if (draw.chance(0.5)) writer.request({ sessionId, cxid: token, identities: [], request });
  return draw.mutated(writer.take()!, 0.5);
}
