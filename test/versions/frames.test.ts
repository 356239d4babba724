import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccepterHandshake,
  DiallerHandshake,
  peerKey,
  type PeerIdentity,
} from '../../core/server/peers/peer-handshake.js';
import { decodePeerMessage, PEER_PROTOCOL, PeerMessageError } from '../../core/zab/index.js';
import { readFixture } from './fixture.js';

const nonce = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

/** Of the same ensemble, and with the same secret, as the recorded members. */
function identity(id: number, secret: Uint8Array): PeerIdentity {
  return { id, keys: [peerKey(secret)], ensemble: 'members 1, 2', others: [3 - id] };
}

interface Bytes {
  readonly hex: string;
}

interface Frames {
  readonly secret: Bytes;
  readonly handshake: { readonly hello: Bytes; readonly challenge: Bytes };
  readonly messages: readonly { readonly message: { readonly type: string }; readonly bytes: Bytes }[];
}

const bytesOf = ({ hex }: Bytes): Uint8Array => Buffer.from(hex, 'hex');

test('a member of 0.1.0 is refused by the version that it speaks, on both ends of a link', async () => {
  const { secret, handshake } = (await readFixture('0.1.0', 'frames')) as Frames;
  const { newest } = PEER_PROTOCOL;
  const accepter = new AccepterHandshake(identity(2, bytesOf(secret)), nonce(2));
  assert.throws(
    () => accepter.receive(bytesOf(handshake.hello)),
    `member 1 speaks peer protocol 1, member 2 speaks ${newest}: upgrade member 1 to the version of 2`,
  );
  const dialler = new DiallerHandshake(identity(1, bytesOf(secret)), 2, nonce(1));
  assert.throws(
    () => dialler.receive(bytesOf(handshake.challenge)),
    `member 2 speaks peer protocol 1, member 1 speaks ${newest}: upgrade member 2 to the version of 1`,
  );
});

test('a peer message of 0.1.0 is a message or refused as malformed, whatever its kind', async () => {
  const { messages } = (await readFixture('0.1.0', 'frames')) as Frames;
  assert.ok(new Set(messages.map(({ message }) => message.type)).size >= 20);
  for (const { message, bytes } of messages) {
    try {
      assert.is(decodePeerMessage(bytesOf(bytes)).type, message.type);
    } catch (error) {
      assert.instance(error, PeerMessageError);
    }
  }
});

test.run();
