import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccepterHandshake,
  DiallerHandshake,
  peerKey,
  PeerRefused,
  type PeerIdentity,
} from '../../../../core/server/peers/peer-handshake.js';
import { PEER_PROTOCOL, spokenVersions, type ProtocolVersions } from '../../../../core/zab/index.js';

/** The version that the tests take for this one, N. */
const N = 5;
const WEBSOCKET_REASON_BYTES = 123;
const key = peerKey(new Uint8Array(32).fill(1));
const nonce = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

function identity(id: number, versions?: ProtocolVersions): PeerIdentity {
  return { id, keys: [key], ensemble: 'members 1, 2', others: [3 - id], ...(versions && { versions }) };
}

/** What both ends agree on, or the reason of the refusal. Member 1 dials. */
function shake(dialling: ProtocolVersions, accepting: ProtocolVersions): number | string {
  const dialler = new DiallerHandshake(identity(1, dialling), 2, nonce(1));
  const accepter = new AccepterHandshake(identity(2, accepting), nonce(2));
  try {
    const proof = dialler.receive(accepter.receive(dialler.hello).send!).send!;
    const accepted = accepter.receive(proof);
    const welcomed = dialler.receive(accepted.send!);
    assert.equal([accepted.peer, welcomed.peer], [1, 2]);
    assert.is(accepted.version, welcomed.version);
    return accepted.version!;
  } catch (error) {
    if (error instanceof PeerRefused) return error.message;
    throw error;
  }
}

test('members of versions N, N-1 and N+1 speak the older of their newest versions, whichever of them dials', () => {
  for (const [one, other, agreed] of [
    [N, N, N],
    [N, N - 1, N - 1],
    [N, N + 1, N],
  ] as const) {
    assert.is(shake(spokenVersions(one), spokenVersions(other)), agreed);
    assert.is(shake(spokenVersions(other), spokenVersions(one)), agreed);
  }
});

test('members that are two versions apart refuse each other, and name what each speaks and whom to upgrade', () => {
  for (const other of [N - 2, N + 2]) {
    const [older, newer] = [Math.min(N, other), Math.max(N, other)];
    const spoken = (version: number): string => `${version - 1} and ${version}`;
    const upgrade = (id: number): string => `upgrade member ${id} to the version of ${3 - id}`;
    const dials = shake(spokenVersions(older), spokenVersions(newer)) as string;
    assert.is(
      dials,
      `member 1 speaks peer protocol ${spoken(older)}, member 2 speaks ${spoken(newer)}: ${upgrade(1)}`,
    );
    const accepts = shake(spokenVersions(newer), spokenVersions(older)) as string;
    assert.is(
      accepts,
      `member 1 speaks peer protocol ${spoken(newer)}, member 2 speaks ${spoken(older)}: ${upgrade(2)}`,
    );
  }
});

test('a refusal for its version fits into the reason of a close, for the largest ids and versions of four digits', () => {
  const versions = { oldest: 9_998, newest: 9_999 };
  const accepter = new AccepterHandshake(
    { ...identity(2), id: 254, others: [253], versions: { oldest: 9_000, newest: 9_001 } },
    nonce(2),
  );
  const { hello } = new DiallerHandshake({ ...identity(1, versions), id: 253 }, 254, nonce(1));
  try {
    accepter.receive(hello);
    assert.unreachable();
  } catch (error) {
    assert.ok((error as Error).message.length <= WEBSOCKET_REASON_BYTES, (error as Error).message);
  }
});

test('whoever changes the versions of a hello or of a challenge makes the proofs fail', () => {
  const make = (): { dialler: DiallerHandshake; accepter: AccepterHandshake } => ({
    dialler: new DiallerHandshake(identity(1, spokenVersions(N)), 2, nonce(1)),
    accepter: new AccepterHandshake(identity(2, spokenVersions(N)), nonce(2)),
  });
  const withVersion = (message: Uint8Array, version: number): Uint8Array => {
    const changed = Uint8Array.from(message);
    new DataView(changed.buffer).setInt32(4, version);
    return changed;
  };
  const refused = (act: () => unknown): void =>
    assert.throws(act, (error: unknown) => error instanceof PeerRefused);

  const hello = make();
  const older = hello.accepter.receive(withVersion(hello.dialler.hello, N - 1)).send!;
  refused(() => hello.dialler.receive(older));
  refused(() => hello.dialler.receive(withVersion(older, N)));

  const challenge = make();
  const answer = challenge.accepter.receive(challenge.dialler.hello).send!;
  for (const version of [N - 1, N - 2, N + 1]) {
    refused(() => challenge.dialler.receive(withVersion(answer, version)));
  }

  const proof = make();
  const proved = proof.dialler.receive(proof.accepter.receive(proof.dialler.hello).send!).send!;
  refused(() => proof.accepter.receive(withVersion(proved, N - 1)));
  const welcome = proof.accepter.receive(proved).send!;
  refused(() => proof.dialler.receive(withVersion(welcome, N - 1)));
});

test('this version speaks its own protocol and the one before, but not that of 0.1.0', () => {
  assert.equal(spokenVersions(2), { oldest: 2, newest: 2 });
  assert.equal(spokenVersions(3), { oldest: 2, newest: 3 });
  assert.equal(spokenVersions(9), { oldest: 8, newest: 9 });
  assert.equal(PEER_PROTOCOL, spokenVersions(PEER_PROTOCOL.newest));
});

test.run();
