import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccepterHandshake,
  CERTIFIED_KEY,
  DiallerHandshake,
  peerKey,
  PeerRefused,
  type PeerIdentity,
} from '../../../../core/server/peers/peer-handshake.js';
import { PEER_PROTOCOL } from '../../../../core/zab/index.js';

const key = peerKey(new Uint8Array(32).fill(1));
const identity = (id: number): PeerIdentity => ({
  id,
  keys: [key],
  ensemble: 'members 1, 2',
  others: [1, 2].filter((other) => other !== id),
});
const nonce = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const refuses = (act: () => unknown): void =>
  assert.throws(act, (error: unknown) => error instanceof PeerRefused);

test('both ends know each other when both have proved to know the key, and not before', () => {
  const dialler = new DiallerHandshake(identity(2), 1, nonce(2));
  const accepter = new AccepterHandshake(identity(1), nonce(1));
  const challenge = accepter.receive(dialler.hello);
  assert.is(challenge.peer, null);
  const proof = dialler.receive(challenge.send!);
  assert.is(proof.peer, null);
  const welcome = accepter.receive(proof.send!);
  assert.is(welcome.peer, 2);
  assert.equal(dialler.receive(welcome.send!), { send: null, peer: 1, version: PEER_PROTOCOL.newest });
});

test('the key is not the secret, and what is said does not hold it', () => {
  const dialler = new DiallerHandshake(identity(2), 1, nonce(2));
  const accepter = new AccepterHandshake(identity(1), nonce(1));
  const challenge = accepter.receive(dialler.hello).send!;
  const proof = dialler.receive(challenge).send!;
  const said = Buffer.concat([dialler.hello, challenge, proof]);
  assert.is(said.indexOf(key), -1);
  assert.is.not(Buffer.compare(key, new Uint8Array(32).fill(1)), 0);
});

test('a proof that was heard on another link is of no use', () => {
  const heard = new DiallerHandshake(identity(2), 1, nonce(2));
  const proof = heard.receive(new AccepterHandshake(identity(1), nonce(1)).receive(heard.hello).send!).send!;

  const accepter = new AccepterHandshake(identity(1), nonce(7));
  accepter.receive(heard.hello);
  refuses(() => accepter.receive(proof));
});

test('the proof of one end is no proof of the other, so that nothing can be thrown back', () => {
  const dialler = new DiallerHandshake(identity(2), 1, nonce(2));
  const accepter = new AccepterHandshake(identity(1), nonce(1));
  const challenge = accepter.receive(dialler.hello).send!;
  // The accepter's own proof, in the place of the dialler's: what stands behind the nonce in its challenge.
  const thrownBack = Buffer.concat([
    dialler.receive(challenge).send!.subarray(0, 12),
    challenge.subarray(48),
  ]);
  refuses(() => accepter.receive(thrownBack));
});

test('steps out of turn, other versions and other protocols are refused', () => {
  const { hello } = new DiallerHandshake(identity(2), 1, nonce(2));
  const accepter = (): AccepterHandshake => new AccepterHandshake(identity(1), nonce(1));
  refuses(() => new DiallerHandshake(identity(2), 1, nonce(2)).receive(hello));
  const version = Uint8Array.from(hello);
  version[7] = 1;
  refuses(() => accepter().receive(version));
  const magic = Uint8Array.from(hello);
  magic[0] = 0;
  refuses(() => accepter().receive(magic));
  for (let length = 0; length < hello.length; length++) {
    refuses(() => accepter().receive(hello.subarray(0, length)));
  }
});

test('either of two keys is accepted, and the first of them proves', () => {
  const [old, renewed] = [1, 2].map((fill) => peerKey(new Uint8Array(32).fill(fill)));
  const meet = (keys: readonly Uint8Array[], others: readonly Uint8Array[]): number | null => {
    const dialler = new DiallerHandshake({ ...identity(2), keys }, 1, nonce(2));
    const accepter = new AccepterHandshake({ ...identity(1), keys: others }, nonce(1));
    const proof = dialler.receive(accepter.receive(dialler.hello).send!).send!;
    return accepter.receive(proof).peer;
  };
  for (const [keys, others] of [
    [[old!], [old!, renewed!]],
    [[old!, renewed!], [old!]],
    [
      [old!, renewed!],
      [renewed!, old!],
    ],
    [[renewed!, old!], [renewed!]],
  ] as const) {
    assert.is(meet(keys, others), 2);
    assert.is(meet(others, keys), 2);
  }
  refuses(() => meet([renewed!], [old!]));
  refuses(() => meet([renewed!, old!], [old!]));
});

test('members with certificates tell each other the secrets that they know, and take those of members only', () => {
  const learned = new Map<string, number>();
  const certified = (id: number, known: ReadonlyMap<number, Uint8Array>): PeerIdentity => ({
    ...identity(id),
    others: [1, 2, 3].filter((other) => other !== id),
    exchange: {
      known: () => known,
      learn: (member, secret) => learned.set(`${id} from ${member}`, secret[0]!),
    },
  });
  const secret = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
  const ofTwo = new Map([
    [2, secret(2)],
    [3, secret(3)],
    [9, secret(9)],
  ]);
  const dialler = new DiallerHandshake(certified(2, ofTwo), 1, nonce(2));
  const accepter = new AccepterHandshake(certified(1, new Map([[1, secret(1)]])), nonce(1), () => null);
  dialler.receive(accepter.receive(dialler.receive(accepter.receive(dialler.hello).send!).send!).send!);

  assert.equal(Object.fromEntries(learned), { '1 from 2': 2, '1 from 3': 3, '2 from 1': 1 });
});

test('a dialler whose certificate is not that of the member it names is refused before anything is proved', () => {
  const dialler = new DiallerHandshake({ ...identity(2), keys: [CERTIFIED_KEY] }, 1, nonce(2));
  const accepter = new AccepterHandshake(
    { ...identity(1), keys: [CERTIFIED_KEY] },
    nonce(1),
    (member) => `not member ${member}`,
  );
  assert.throws(() => accepter.receive(dialler.hello), /not member 2/);
});

test('where both proofs are accepted, the key of certificates counts only behind a valid certificate', () => {
  const both = { keys: [CERTIFIED_KEY, key] };
  const meet = (dialler: Partial<PeerIdentity>, problem: string | null): boolean => {
    const dialling = new DiallerHandshake({ ...identity(2), ...dialler }, 1, nonce(2));
    const accepting = new AccepterHandshake({ ...identity(1), ...both }, nonce(1), () => problem);
    try {
      return accepting.receive(dialling.receive(accepting.receive(dialling.hello).send!).send!).peer === 2;
    } catch (error) {
      assert.instance(error, PeerRefused);
      return false;
    }
  };
  const [certified, secret] = [{ keys: [CERTIFIED_KEY] }, { keys: [key] }];
  assert.ok(meet({ keys: [key, CERTIFIED_KEY] }, null));
  assert.not(meet(both, 'no certificate'), 'it proves by a certificate that it does not have');
  assert.ok(meet(certified, null));
  assert.not(meet(certified, 'no certificate'));
  assert.ok(meet(secret, 'no certificate'), 'the secret is enough');
});

test('secrets are told to a dialler with a valid certificate only, and one that says none is accepted', () => {
  const told: number[] = [];
  const exchange = {
    known: () => new Map([[1, new Uint8Array(32).fill(9)]]),
    learn: (member: number) => void told.push(member),
  };
  const accepting = { ...identity(1), keys: [key, CERTIFIED_KEY], exchange };
  for (const [problem, expected] of [
    ['no certificate', []],
    [null, [1]],
  ] as const) {
    told.length = 0;
    const dialler = new DiallerHandshake(
      { ...identity(2), exchange: { ...exchange, known: () => new Map() } },
      1,
      nonce(2),
    );
    const accepter = new AccepterHandshake(accepting, nonce(1), () => problem);
    const proof = dialler.receive(accepter.receive(dialler.hello).send!).send!;
    assert.is(dialler.receive(accepter.receive(proof).send!).peer, 1);
    assert.equal(told, expected);
  }
});

test.run();
