import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccepterHandshake,
  DiallerHandshake,
  peerKey,
  type PeerIdentity,
} from '../../../../core/server/peers/peer-handshake.js';
import { ForeignEnsembleError } from '../../../../core/server/peers/peer-refused.js';
import { spokenVersions } from '../../../../core/zab/index.js';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];
const WEBSOCKET_REASON_BYTES = 123;
const key = peerKey(new Uint8Array(32).fill(1));
const nonce = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const identity = (id: number, ensembleId: string, version = 3): PeerIdentity => ({
  id,
  keys: [key],
  ensemble: 'members 1, 2',
  others: [3 - id],
  versions: spokenVersions(version),
  ensembleId,
  directoryId: `directory ${id}`,
});

function meet(
  one: PeerIdentity,
  two: PeerIdentity,
): { dialler: DiallerHandshake; accepter: AccepterHandshake } {
  const dialler = new DiallerHandshake(one, 2, nonce(1));
  const accepter = new AccepterHandshake(two, nonce(2));
  return { dialler, accepter };
}

for (const [one, two] of [
  [A, A],
  [A, ''],
  ['', A],
  ['', ''],
] as const) {
  test(`members with data of "${one.slice(0, 1)}" and "${two.slice(0, 1)}" get a link, and know the data of each other`, () => {
    const { dialler, accepter } = meet(identity(1, one), identity(2, two));
    const accepted = accepter.receive(dialler.receive(accepter.receive(dialler.hello).send!).send!);
    const welcomed = dialler.receive(accepted.send!);
    assert.equal([accepted.peer, welcomed.peer, welcomed.version], [1, 2, 3]);
    assert.equal(dialler.remote, { member: 2, ensembleId: two, directoryId: 'directory 2' });
    assert.equal(accepter.remote, { member: 1, ensembleId: one, directoryId: 'directory 1' });
  });
}

test('data of another ensemble are refused on both sides, once both have proved who they are', () => {
  const { dialler, accepter } = meet(identity(1, A), identity(2, B));
  const proof = dialler.receive(accepter.receive(dialler.hello).send!);
  assert.is(dialler.remote!.ensembleId, B);
  assert.throws(
    () => accepter.receive(proof.send!),
    (error: unknown) =>
      error instanceof ForeignEnsembleError &&
      error.code === 'FOREIGN_ENSEMBLE' &&
      /member 1 has data of ensemble aaaaaaaa, member 2 of bbbbbbbb.*empty data directory/.test(
        error.message,
      ) &&
      error.message.length <= WEBSOCKET_REASON_BYTES - 4,
  );
  assert.is(accepter.remote!.ensembleId, A);

  // The dialler refuses by itself, too, if the accepter does not.
  const careless = meet(identity(1, A), identity(2, B));
  const blind = new AccepterHandshake(identity(2, B), nonce(2));
  const challenge = blind.receive(careless.dialler.hello);
  careless.dialler.receive(challenge.send!);
  const welcome = meet(identity(1, A), identity(2, A));
  const accepted = welcome.accepter.receive(
    welcome.dialler.receive(welcome.accepter.receive(welcome.dialler.hello).send!).send!,
  );
  assert.throws(
    () => careless.dialler.receive(accepted.send!),
    (error: unknown) => error instanceof ForeignEnsembleError,
  );
});

test('whoever changes an id on its way makes the proofs fail', () => {
  for (const changed of ['hello', 'challenge'] as const) {
    const { dialler, accepter } = meet(identity(1, A), identity(2, A));
    const hello = Buffer.from(dialler.hello);
    if (changed === 'hello') hello[hello.indexOf(A)]! ^= 1;
    const challenge = Buffer.from(accepter.receive(hello).send!);
    if (changed === 'challenge') challenge[challenge.indexOf(A)]! ^= 1;
    assert.throws(() => dialler.receive(challenge), /has another secret/);
  }
});

test('a member of the version before gets a link as long as there is no id, and is told to upgrade behind it', () => {
  const young = meet(identity(1, '', 2), identity(2, ''));
  const proof = young.dialler.receive(young.accepter.receive(young.dialler.hello).send!).send!;
  assert.equal([young.accepter.receive(proof).version, young.accepter.remote], [2, null]);

  const dials = meet(identity(1, '', 2), identity(2, A));
  assert.throws(() => dials.accepter.receive(dials.dialler.hello), /upgrade member 1/);
  const accepts = meet(identity(1, A), identity(2, '', 2));
  const challenge = accepts.accepter.receive(accepts.dialler.hello).send!;
  assert.throws(() => accepts.dialler.receive(challenge), /upgrade member 2/);
});

test.run();
