import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemClock, type QuorateError } from '../../../core/runtime/index.js';
import { MemoryNetwork, type CloseReason, type Connection } from '../../../core/transport/index.js';

const never = new AbortController().signal;
const clock = new SystemClock();

/** Collects what reaches one end. */
class Inbox {
  readonly messages: number[] = [];
  readonly ends: CloseReason[] = [];
  drained = 0;
  constructor(connection: Connection) {
    connection.handle({
      message: (bytes) => this.messages.push(bytes[0]!),
      closed: (reason) => this.ends.push(reason),
      drained: () => (this.drained += 1),
    });
  }
}

async function pair(network = new MemoryNetwork(clock)): Promise<{ near: Connection; far: Connection }> {
  let far: Connection | undefined;
  network.listen('server', (connection) => (far = connection));
  const near = await network.dialer('client:1').dial('server', { signal: never });
  return { near, far: far! };
}

function turns(count = 5): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number): void => (left === 0 ? resolve() : clock.soon(() => next(left - 1)));
    next(count);
  });
}

test('messages arrive in order, in a later turn, and those sent before handle are kept', async () => {
  const { near, far } = await pair();
  near.send(Uint8Array.of(1));
  near.send(Uint8Array.of(2));
  const inbox = new Inbox(far);
  near.send(Uint8Array.of(3));

  assert.equal(inbox.messages, []);
  await turns();
  assert.equal(inbox.messages, [1, 2, 3]);
  assert.is(far.remoteAddress, 'client:1');
});

test('close delivers what was sent before, then tells both ends the same reason once', async () => {
  const { near, far } = await pair();
  const [nearInbox, farInbox] = [new Inbox(near), new Inbox(far)];
  near.send(Uint8Array.of(1));
  near.close({ code: 1001, text: 'bye' });
  near.close();
  near.send(Uint8Array.of(2));
  assert.not(near.isOpen);

  await turns();

  assert.equal(farInbox.messages, [1]);
  assert.equal(farInbox.ends, [{ code: 1001, text: 'bye' }]);
  assert.equal(nearInbox.ends, [{ code: 1001, text: 'bye' }]);
  assert.not(far.isOpen);
  far.close();
  far.terminate();
  await turns();
  assert.is(farInbox.ends.length, 1);
});

test('terminate drops what is under way and both ends hear of an abnormal end', async () => {
  const { near, far } = await pair();
  const [nearInbox, farInbox] = [new Inbox(near), new Inbox(far)];
  far.pause();
  near.send(Uint8Array.of(1));
  near.terminate();

  await turns();

  assert.equal(farInbox.messages, []);
  assert.equal(
    [nearInbox.ends, farInbox.ends].map((ends) => ends.map((end) => end.code)),
    [[1006], [1006]],
  );
});

test('a paused end stops the flow, which the sender sees in bufferedBytes until drained', async () => {
  const { near, far } = await pair();
  const [nearInbox, farInbox] = [new Inbox(near), new Inbox(far)];
  far.pause();
  near.send(new Uint8Array(100));
  await turns();
  assert.is(near.bufferedBytes, 100);
  assert.is(nearInbox.drained, 0);

  far.resume();
  await turns();

  assert.is(near.bufferedBytes, 0);
  assert.is(nearInbox.drained, 1);
  assert.is(farInbox.messages.length, 1);
});

test('a handler that pauses within a delivery gets the rest after resume', async () => {
  const { near, far } = await pair();
  const seen: number[] = [];
  far.handle({
    message: (bytes) => {
      seen.push(bytes[0]!);
      far.pause();
    },
    closed: () => undefined,
  });
  for (const value of [1, 2, 3]) near.send(Uint8Array.of(value));
  await turns();
  assert.equal(seen, [1]);

  far.resume();
  await turns();
  assert.equal(seen, [1, 2]);
});

test('latency never reorders', async () => {
  const latencies = [8, 1, 3];
  const network = new MemoryNetwork(clock, {
    latencyMs: (from) => (from === 'client:1' ? (latencies.shift() ?? 0) : 0),
  });
  const { near, far } = await pair(network);
  const inbox = new Inbox(far);
  for (const value of [1, 2, 3]) near.send(Uint8Array.of(value));

  while (inbox.messages.length < 3) await turns(1);

  assert.equal(inbox.messages, [1, 2, 3]);
});

test('dialling where nobody listens, or after an abort, rejects with CONNECT_FAILED', async () => {
  const network = new MemoryNetwork(clock);
  const code = (dial: Promise<unknown>): Promise<string> =>
    dial.then(
      () => 'connected',
      (error: QuorateError) => error.code,
    );
  assert.is(await code(network.dial('nobody', { signal: never })), 'CONNECT_FAILED');
  const listener = network.listen('somebody', () => undefined);
  assert.is(await code(network.dial('somebody', { signal: AbortSignal.abort() })), 'CONNECT_FAILED');
  assert.throws(() => network.listen('somebody', () => undefined), /already/);
  listener.close();
  assert.is(await code(network.dial('somebody', { signal: never })), 'CONNECT_FAILED');
});

test.run();
