import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger } from '../../core/runtime/index.js';
import { VirtualClock } from '../../core/testing/index.js';
import { Application, LeaderOnly, Locks, Queues, Worker, type EventOf } from '../../framework/index.js';
import { EventHub } from '../../framework/events.js';
import { LoopMonitor } from '../../framework/runtime/loop-monitor.js';
import { onFleet, SESSION_TIMEOUT_MS } from './fleet.js';

const BLOCKED_MS = 1000;

/** A monitor of a loop that stands still when the test says so. */
class Monitored {
  readonly clock = new VirtualClock();
  readonly events = new EventHub(silentLogger);
  readonly told: EventOf<'loop-blocked'>[] = [];
  readonly monitor: LoopMonitor;
  #lateMs = 0;

  constructor() {
    const { clock } = this;
    this.monitor = new LoopMonitor({
      clock: {
        now: () => clock.now() + this.#lateMs,
        wall: () => clock.wall(),
        setTimer: clock.setTimer.bind(clock),
        soon: clock.soon.bind(clock),
      },
      logger: silentLogger,
      events: this.events,
      blockedMs: BLOCKED_MS,
      sessionTimeoutMs: () => SESSION_TIMEOUT_MS,
    });
    this.events.on('loop-blocked', (event) => this.told.push(event));
    this.monitor.start();
  }

  /** The loop stands; then `afterwards` happens, before the monitor hears of it or after. */
  async standStill(forMs: number, afterwards: () => void = () => undefined): Promise<void> {
    // Timers that are due now come late; what happens first afterwards happens late too.
    this.#lateMs += forMs;
    afterwards();
    await this.clock.advance(BLOCKED_MS);
  }

  /** Whether nothing is left to happen once it is stopped. */
  stop(): void {
    this.monitor.stop();
    assert.is(this.clock.pendingTimers, 0);
  }
}

const job = (id: string) => ({ queue: 'mails', id, attempt: 1 });

test('a loop that stands still longer than the session names what it led and held and had in hand, all of it lost', async () => {
  let lead = (): void => undefined;
  const isLeading = new Promise<void>((resolve) => (lead = resolve));
  @LeaderOnly({ name: 'books' })
  class Books {
    run(): void {
      lead();
    }
  }
  let begin = (): void => undefined;
  const isInHand = new Promise<void>((resolve) => (begin = resolve));
  let finish = (): void => undefined;
  const isFinished = new Promise<void>((resolve) => (finish = resolve));
  @Worker({ queue: 'mails' })
  class Mails {
    async handle(): Promise<void> {
      begin();
      await isFinished;
    }
  }
  await using application = await Application.start({
    connect: 'embedded:',
    declare: [Books, Mails],
    sessionTimeoutMs: 1000,
    loopBlockedMs: 500,
  });
  const blocked = new Promise<EventOf<'loop-blocked'>>(
    (resolve) => void application.on('loop-blocked', resolve),
  );
  const id = await application.get(Queues).of('mails').enqueue({ to: 'anna' });
  const hold = await application.get(Locks).readWrite('customers/42').write.acquire();
  await Promise.all([isLeading, isInHand]);
  await new Promise((resolve) => setTimeout(resolve, 300));

  const blockedMs = application.client.session.timeoutMs + 600;
  for (const end = performance.now() + blockedMs; performance.now() < end;);
  const { lost, atRisk } = await blocked;
  finish();

  assert.equal(lost.toSorted(), [`job mails/${id}`, 'leadership books', 'lock customers/42']);
  assert.equal(atRisk, []);
  await hold.release();
});

test('a shorter standstill names what was at risk and is still held', async () => {
  const loop = new Monitored();
  loop.events.emit({ type: 'leader-acquired', name: 'books', fence: 1n });
  loop.events.emit({ type: 'shard-acquired', name: 'orders', shard: 3, fence: 2n });
  loop.events.emit({ type: 'lock-acquired', name: 'door', fence: 3n });
  loop.events.emit({ type: 'lock-acquired', name: 'door', fence: 4n });
  loop.events.emit({ type: 'job-started', ...job('one') });
  await loop.clock.advance(1000);
  assert.equal(loop.told, []);

  await loop.standStill(2000);
  loop.stop();

  assert.equal(loop.told, [
    {
      type: 'loop-blocked',
      durationMs: 2000,
      lost: [],
      atRisk: ['leadership books', 'shard orders/3', 'lock door', 'job mails/one'],
    },
  ]);
});

test('what was given back right before the loop stood still is not named, nor what came after it', async () => {
  const loop = new Monitored();
  loop.events.emit({ type: 'job-started', ...job('before') });
  loop.events.emit({ type: 'lock-acquired', name: 'door', fence: 3n });
  await loop.clock.advance(260);
  loop.events.emit({ type: 'job-done', ...job('before'), durationMs: 260 });
  loop.events.emit({ type: 'lock-released', name: 'door', fence: 3n, isLost: false });

  await loop.standStill(2000, () => loop.events.emit({ type: 'job-started', ...job('after') }));
  loop.stop();

  assert.equal(
    loop.told.map(({ lost, atRisk }) => ({ lost, atRisk })),
    [{ lost: [], atRisk: [] }],
  );
});

test('what turns out to be lost as soon as the loop goes on is told apart from what ended well', async () => {
  const loop = new Monitored();
  for (const id of ['one', 'two', 'three']) loop.events.emit({ type: 'job-started', ...job(id) });
  for (const fence of [3n, 4n]) loop.events.emit({ type: 'lock-acquired', name: `door ${fence}`, fence });
  await loop.clock.advance(1000);

  await loop.standStill(2000, () => {
    loop.events.emit({ type: 'job-lost', ...job('one'), reason: new Error('taken') });
    loop.events.emit({ type: 'job-done', ...job('two'), durationMs: 1 });
    loop.events.emit({ type: 'lock-released', name: 'door 3', fence: 3n, isLost: true });
  });
  loop.stop();

  assert.equal(
    loop.told.map(({ lost, atRisk }) => ({ lost, atRisk })),
    [{ lost: ['job mails/one', 'lock door 3'], atRisk: ['job mails/two', 'job mails/three', 'lock door 4'] }],
  );
});

test(
  'every lock of Locks tells when it is held and when it is not any more, given back or lost',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [] });
    const locks = machine.application.get(Locks);
    const kinds = {
      fair: locks.fair('fair'),
      try: locks.try('try'),
      read: locks.readWrite('book').read,
      permit: locks.semaphore('press', { permits: 2 }),
    };
    for (const lock of Object.values(kinds)) await fleet.wait(lock.run(() => undefined));
    await fleet.wait(locks.run('door', () => locks.run('door', () => undefined)));
    const both = await fleet.wait(locks.all('a', 'b').acquire());
    await fleet.wait(both.release());
    const told = () =>
      machine.events
        .filter((event) => event.type === 'lock-acquired' || event.type === 'lock-released')
        .map((event) => `${event.type === 'lock-acquired' ? '+' : event.isLost ? '!' : '-'}${event.name}`);
    assert.equal(told().join(' '), '+fair -fair +try -try +book -book +press -press +door -door +a +b -a -b');

    await fleet.wait(locks.readWrite('book').write.acquire());
    machine.cut();
    await fleet.until(() => machine.application.client.state === 'lost');
    assert.equal(told().slice(-2), ['+book', '!book']);
    machine.heal();
  }),
);

test.run();
