import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionOutput } from '../../../../../core/server/clients/connection/connection-output.js';
import { WaitingOutput } from '../../../../../core/server/clients/connection/waiting-output.js';
import { WriterPool } from '../../../../../core/server/clients/connection/writer-pool.js';
import type { Connection } from '../../../../../core/transport/index.js';

/** What one connection sends, and how often its flush was asked for. */
class Sent {
  readonly messages: Uint8Array[] = [];
  flushesWanted = 0;
  /** What the transport holds. */
  bufferedBytes = 0;
  readonly waiting = new WaitingOutput();
  readonly output: ConnectionOutput;

  constructor(writers = new WriterPool()) {
    const bufferedBytes = (): number => this.bufferedBytes;
    const connection: Pick<Connection, 'send' | 'bufferedBytes'> = {
      get bufferedBytes() {
        return bufferedBytes();
      },
      send: (message) => void this.messages.push(message),
    };
    this.output = new ConnectionOutput({
      connection: connection as Connection,
      writers,
      waiting: this.waiting,
      limits: { outputHighWaterBytes: 1_000, maxOutputBytes: 10_000 },
      begun: () => void (this.flushesWanted += 1),
    });
  }

  get bytes(): number[][] {
    return this.messages.map((message) => [...message]);
  }
}

test('a shared packet that is all a turn has to send goes out as it is, to everybody', () => {
  const writers = new WriterPool();
  const [one, other] = [new Sent(writers), new Sent(writers)];
  const packet = Uint8Array.of(1, 2, 3);

  for (const { output } of [one, other]) output.share(packet);
  for (const { output } of [one, other]) output.flush();

  for (const sent of [one, other]) {
    assert.is(sent.flushesWanted, 1);
    assert.is(sent.messages.length, 1);
    assert.is(sent.messages[0], packet);
  }
});

test('shared packets and written ones leave in their order, in one message', () => {
  const sent = new Sent();
  const { output } = sent;

  output.share(Uint8Array.of(1));
  output.writer.writeBool(false);
  output.written();
  output.share(Uint8Array.of(2));
  output.share(Uint8Array.of(3));
  output.flush();
  assert.equal(sent.bytes, [[1, 0, 2, 3]]);

  output.share(Uint8Array.of(4));
  output.share(Uint8Array.of(5));
  output.flush();
  output.flush();

  assert.equal(sent.bytes, [
    [1, 0, 2, 3],
    [4, 5],
  ]);
  assert.is(sent.flushesWanted, 2);
});

test('a shared packet is the same after more was sent behind it', () => {
  const sent = new Sent();
  const packet = Uint8Array.of(7, 7);

  sent.output.share(packet);
  sent.output.writer.writeInt(-1);
  sent.output.flush();

  assert.equal([...packet], [7, 7]);
});

test('only a client that takes in nothing for three checks in a row is given up', () => {
  const sent = new Sent();
  sent.output.share(new Uint8Array(1_000));
  sent.output.flush();
  sent.bufferedBytes = 1_000;
  const check = (takenIn: number): string => {
    sent.bufferedBytes -= takenIn;
    return sent.output.progress();
  };

  check(0);
  for (let round = 0; round < 5; round++) {
    assert.equal([check(0), check(0), check(10)], ['stuck', 'stuck', 'moving']);
  }
  assert.equal([check(0), check(0), check(0)], ['stuck', 'stuck', 'deaf']);
});

test('a client that has nothing left to take in is never given up', () => {
  const { output } = new Sent();
  for (let check = 0; check < 10; check++) assert.is(output.progress(), 'moving');
});

test('unsent bytes of a connection count in the total until they leave or the connection ends', () => {
  const sent = new Sent();
  const write = (buffered: number): void => {
    sent.output.writer.writeInt(1);
    sent.bufferedBytes = buffered;
    sent.output.flush();
  };
  write(700);
  assert.is(sent.waiting.bytes, 700);
  sent.output.drained();
  assert.is(sent.waiting.bytes, 0);

  write(900);
  sent.output.end();
  assert.is(sent.waiting.bytes, 0);
  sent.output.progress();
  assert.is(sent.waiting.bytes, 0, 'a connection that ended counts no more');
});

test.run();
