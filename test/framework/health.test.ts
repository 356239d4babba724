import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Application, LeaderOnly, Service } from '../../framework/index.js';
import { onFleet, SESSION_TIMEOUT_MS } from './fleet.js';
import { EventHub } from '../../framework/events.js';
import { LoopMonitor } from '../../framework/runtime/loop-monitor.js';
import { silentLogger } from '../../core/runtime/index.js';
import { VirtualClock } from '../../core/testing/index.js';

@Service({ name: 'invoices' })
class Invoices {}

test(
  'an application without a connection is alive but not ready, and ready again when it is back',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [Invoices] });
    const { application } = machine;
    const unhealthy = async () =>
      (await application.health()).checks.filter((check) => !check.isHealthy).map(({ name }) => name);
    assert.ok((await application.health()).isReady);

    machine.cut();
    await fleet.until(() => application.client.state === 'suspended');
    assert.equal(await unhealthy(), ['connection']);
    assert.ok((await application.health()).isLive);
    machine.heal();
    await fleet.until(() => application.client.state === 'connected');
    assert.equal(await unhealthy(), []);

    await fleet.wait(application.stop());
    const { isLive, isReady } = await application.health();
    assert.not.ok(isLive || isReady);
  }),
);

test('livez and readyz answer over HTTP, not ready while the application drains', async () => {
  let whileDraining: readonly number[] = [];
  const ask = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${application.healthPort}${path}`)).status;
  const application = await Application.start({
    connect: 'embedded:',
    declare: [],
    health: { port: 0, host: '127.0.0.1' },
    hooks: {
      draining: async () => {
        whileDraining = [await ask('/livez'), await ask('/readyz')];
      },
    },
  });

  assert.equal([await ask('/livez'), await ask('/readyz?x'), await ask('/other')], [200, 200, 404]);
  const answer = await fetch(`http://127.0.0.1:${application.healthPort}/readyz`);
  assert.equal(await answer.json(), await application.health());
  await application.stop();

  assert.equal(whileDraining, [200, 503]);
});

test('a loop that stands still longer than the session names the leadership that it lost', async () => {
  let stands = (): void => undefined;
  const isLeading = new Promise<void>((resolve) => (stands = resolve));
  @LeaderOnly({ name: 'books' })
  class Books {
    run(): void {
      stands();
    }
  }
  const blocked: unknown[] = [];
  await using application = await Application.start({
    connect: 'embedded:',
    declare: [Books],
    sessionTimeoutMs: 1000,
    loopBlockedMs: 500,
  });
  let told = (): void => undefined;
  const isTold = new Promise<void>((resolve) => (told = resolve));
  application.on('loop-blocked', ({ lost, atRisk }) => {
    blocked.push({ lost, atRisk });
    told();
  });
  await isLeading;
  await new Promise((resolve) => setTimeout(resolve, 300));

  const blockedMs = application.client.session.timeoutMs + 600;
  for (const end = performance.now() + blockedMs; performance.now() < end;);
  await isTold;

  assert.equal(blocked[0], { lost: ['leadership books'], atRisk: [] });
});

test('a shorter standstill names what was at risk and is still held', async () => {
  const clock = new VirtualClock();
  let lateMs = 0;
  const late = {
    now: () => clock.now() + lateMs,
    wall: () => clock.wall(),
    setTimer: clock.setTimer.bind(clock),
    soon: clock.soon.bind(clock),
  };
  const events = new EventHub(silentLogger);
  const blocked: unknown[] = [];
  events.on('loop-blocked', (event) => blocked.push(event));
  const monitor = new LoopMonitor({
    clock: late,
    logger: silentLogger,
    events,
    blockedMs: 1000,
    sessionTimeoutMs: () => SESSION_TIMEOUT_MS,
  });
  monitor.start();
  events.emit({ type: 'leader-acquired', name: 'books', fence: 1n });
  events.emit({ type: 'shard-acquired', name: 'orders', shard: 3, fence: 2n });
  await clock.advance(1000);
  assert.equal(blocked, []);

  lateMs += 2000;
  await clock.advance(1000);
  monitor.stop();

  assert.equal(blocked, [
    { type: 'loop-blocked', durationMs: 2000, lost: [], atRisk: ['leadership books', 'shard orders/3'] },
  ]);
  assert.is(clock.pendingTimers, 0);
});

test.run();
